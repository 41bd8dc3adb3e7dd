import { expect, test } from 'vitest';
import { mergeBuildArgs, usesToolkit } from './build-args.ts';

test('an empty override is a value', () => {
  expect(mergeBuildArgs([{ name: 'A', value: '1' }], [{ name: 'A', value: '' }])).toEqual([{ name: 'A', value: '' }]);
});

test.each([
  ['ARG DTK_AUTO\nFROM ${DTK_AUTO}', true],
  ['# DTK_AUTO', true],
  ['ARG dtk_auto', false],
  ['', false],
])('usesToolkit of %j is %j', (dockerfile, uses) => {
  expect(usesToolkit(dockerfile)).toBe(uses);
});
