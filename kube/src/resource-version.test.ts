import { expect, test } from 'vitest';
import { isNewer } from './resource-version.ts';

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['9', '9', false],
  ['18446744073709551615', '18446744073709551614', true], // beyond what a number holds
  ['abc', '5', true],
  ['5', '', true],
])('resource version %s is newer than "%s": %s', (version, than, want) => {
  expect(isNewer(version, than)).toBe(want);
});
