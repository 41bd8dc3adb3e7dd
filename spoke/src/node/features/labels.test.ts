import { expect, test } from 'vitest';
import { isLabelKey, isLabelValue } from './labels.ts';

test.each([
  ['name', true],
  ['a/b', true],
  ['example.com/a_B.c-1', true],
  ['/name', false],
  ['a/b/c', false],
  ['Example.com/a', false],
  ['-a', false],
  ['a-', false],
  ['', false],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  [`${'a.'.repeat(126)}a/b`, true],
  [`${'a.'.repeat(126)}aa/b`, false],
])('the key %j is valid: %s', (key, valid) => {
  expect(isLabelKey(key)).toBe(valid);
});

test.each([
  ['', true],
  ['1.2_x-Y', true],
  ['a b', false],
  ['_a', false],
  ['a\n', false],
  ['ä', false],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
])('the value %j is valid: %s', (value, valid) => {
  expect(isLabelValue(value)).toBe(valid);
});
