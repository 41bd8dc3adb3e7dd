import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

// `npm run generate`: writes every generated file; generated-files.golden.test.ts fails when one is stale.
const root = join(import.meta.dirname, '..', '..');
for (const [file, content] of generatedFiles()) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), content);
}
