import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '..', '..');

test.each([...generatedFiles()])('%s is what the schemas generate (npm run generate)', (file, content) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(content);
});
