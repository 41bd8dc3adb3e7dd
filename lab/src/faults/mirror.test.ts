import type { ConfigMap } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { wrongCopies } from './mirror.ts';
import { dice, shuffled } from './random.ts';

const map = (name: string, value: string): ConfigMap => ({ metadata: { name }, data: { value } });

test('a copy is wrong when it is missing, left over or different', () => {
  const right = [map('a', '1'), map('copy-a', '1')];
  expect(wrongCopies(right)).toEqual([]);
  const wrong = [map('b', '1'), map('copy-c', '1'), map('d', '1'), map('copy-d', '2')];
  expect(wrongCopies([...right, ...wrong])).toEqual(['b', 'c', 'd']);
});

test('the same seed draws the same order, and nothing is lost', () => {
  const things = Array.from({ length: 20 }, (_, index) => index);
  const order = shuffled(things, dice(1));
  expect(shuffled(things, dice(1))).toEqual(order);
  expect(order).not.toEqual(things);
  expect(order.toSorted((one, other) => one - other)).toEqual(things);
});
