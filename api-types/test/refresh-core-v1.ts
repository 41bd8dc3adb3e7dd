import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder, startControlPlane } from '@kmm-hub/lab';
import { CORE_ROOTS } from '../src/core-schema/core-type.ts';
import { extractCoreSchemas } from '../src/core-schema/extract.ts';

// `npm run refresh:core-v1 --workspace api-types`: takes the core types from the API server of the lab, so that `npm run generate`
// needs none. admission.integration.test.ts fails when the file is not what the API server says.
const { signal } = new AbortController();
const folder = await runFolder('refresh-core-v1');
const plane = await startControlPlane({ name: 'core', folder, signal });
try {
  const document = JSON.parse(await plane.kubectl(['get', '--raw=/openapi/v3/api/v1']));
  const text = JSON.stringify(extractCoreSchemas(document, CORE_ROOTS), undefined, 2);
  await writeFile(join(import.meta.dirname, '../src/core-schema/core-v1.json'), `${text}\n`);
} finally {
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
}
