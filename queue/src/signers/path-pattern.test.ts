import { expect, test } from 'vitest';
import { pathPattern } from './path-pattern.ts';

const folder = '/opt/lib/modules/6.12.9+deb12-amd64';

test.each<[string, string, boolean]>([
  [`${folder}/a.ko`, 'a.ko', true],
  [`${folder}/a.ko`, 'b.ko', false],
  [`${folder}/*.ko`, 'a.ko', true],
  [`${folder}/*.ko`, 'extra/a.ko', false],
  [`${folder}/*/a.ko`, 'extra/a.ko', true],
  [`${folder}/*.ko`, '.hidden.ko', false],
  [`${folder}/*.ko`, '.ko', false],
  [`${folder}/.*.ko`, '.hidden.ko', true],
  [`${folder}/a?.ko`, 'a1.ko', true],
  [`${folder}/a?.ko`, 'a.ko', false],
  [`${folder}/a[12].ko`, 'a2.ko', true],
  [`${folder}/a[!12].ko`, 'a2.ko', false],
  [`${folder}/a[x.ko`, 'a[x.ko', true],
  [`${folder}/a.ko`, 'aXko', false],
])('the entry %s on the file %s: %s', (entry, file, want) => {
  expect(pathPattern(entry).matches(`${folder.slice(1)}/${file}`)).toBe(want);
});

test('an entry is looked for below its part without wildcards', () => {
  expect(pathPattern(`${folder}/*/a.ko`).folder).toBe(folder.slice(1));
  expect(pathPattern(`${folder}/a.ko`).folder).toBe(`${folder.slice(1)}/a.ko`);
});
