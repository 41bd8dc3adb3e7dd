import type { LabelSelector } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import { matchesLabelSelector, matchesLabels } from './label-selector.ts';

type Case = { selector: LabelSelector; labels: Record<string, string>; matches: boolean };
const rows = readRows<Case>('label-selector');

test.each(rows)('matchesLabelSelector $behaviour', ({ selector, labels, matches }) => {
  expect(matchesLabelSelector(selector, labels)).toBe(matches);
});

test.each(rows.filter(({ selector }) => !selector.matchExpressions))('matchesLabels $behaviour', (row) => {
  expect(matchesLabels(row.selector.matchLabels ?? {}, row.labels)).toBe(row.matches);
});

test('an object without labels matches the empty selector only', () => {
  const selectors: LabelSelector[] = [{}, { matchLabels: { a: 'x' } }];
  expect(selectors.map((selector) => matchesLabelSelector(selector, undefined))).toEqual([true, false]);
});
