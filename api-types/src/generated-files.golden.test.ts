import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '..', '..');

test.each([...generatedFiles()])('%s is what the schemas generate (npm run generate)', (file, content) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(content);
});

test('deploy/crds holds nothing that no schema generates', () => {
  const generated = [...generatedFiles().keys()].filter((file) => file.startsWith('deploy/crds/'));
  expect(globSync('deploy/crds/**/*.yaml', { cwd: root }).sort()).toEqual(generated.sort());
});
