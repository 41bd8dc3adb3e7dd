import { expect, test } from 'vitest';
import { evaluateRules } from './evaluate-rules.ts';

test('a name that a later rule gives again stands last, for who adds a prefix to names in their order', () => {
  const prefixed = 'feature.node.kubernetes.io/a';
  const rules = [
    { name: 'one', labels: { a: '1' } },
    { name: 'two', labels: { [prefixed]: '2' } },
    { name: 'three', labels: { a: '3' } },
  ];
  expect(Object.entries(evaluateRules(rules, {}).labels)).toEqual([
    [prefixed, '2'],
    ['a', '3'],
  ]);
});
