import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkout } from '../host/config.ts';

/** A file below deploy/. */
export function deployed(...path: string[]): string {
  return join(checkout, 'deploy', ...path);
}

/** A copy of a manifest with `${NAME}` filled in, for what is shipped once for each cluster. Gives the copy's path. */
export async function rendered(
  file: string,
  { folder, values }: { folder: string; values: Record<string, string> },
): Promise<string> {
  let text = await readFile(file, 'utf8');
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`\${${name}}`, value);
  const copy = join(folder, basename(file));
  await writeFile(copy, text);
  return copy;
}
