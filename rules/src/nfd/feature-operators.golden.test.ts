import type { Features } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { readRows } from '../golden/read-rows.ts';
import { MATCH_OPERATORS } from './expression.ts';
import type { FeatureTerm, MatchExpression } from './feature-rule.ts';
import { matchTerm } from './term.ts';

type Answer = 'yes' | 'no' | 'error';
type Case = MatchExpression & { given: string } & Record<Place, Answer>;

/** The five ways to ask an expression of a set `f.s`. */
const places = ['attribute', 'instance', 'flag', 'missing', 'name'] as const;
type Place = (typeof places)[number];

const rows = readRows<Case>('feature-operators').map(({ op, value, type, given, ...answers }) => ({
  expression: { op, ...(value && { value }), ...(type && { type }) },
  given,
  answers,
}));

test.each(rows)('$expression asked of "$given" answers as the table', ({ expression, given, answers }) => {
  const asked = places.map((place) => [place, ask(place, expression, given)]);
  expect(Object.fromEntries(asked)).toEqual(answers);
});

function ask(place: Place, expression: MatchExpression, given: string): Answer {
  const term: FeatureTerm =
    place === 'name'
      ? { feature: 'f.s', matchName: expression }
      : { feature: 'f.s', matchExpressions: { x: expression } };
  const match = matchTerm(term, featuresOf(place, given));
  if (!match.ok) return 'error';
  return match.value.matched ? 'yes' : 'no';
}

function featuresOf(place: Place, given: string): Features {
  switch (place) {
    case 'attribute':
      return { attributes: { 'f.s': { elements: { x: given } } } };
    case 'instance':
      return { instances: { 'f.s': { elements: [{ attributes: { x: given } }] } } };
    case 'flag':
      return { flags: { 'f.s': { elements: { x: {} } } } };
    case 'missing':
      return { attributes: { 'f.s': { elements: { y: given } } } };
    case 'name':
      return { attributes: { 'f.s': { elements: { [given]: '' } } } };
  }
}

describe('the table of operators', () => {
  const answersOf = (op: string, type: string) =>
    rows.filter(({ expression }) => expression.op === op && (expression.type ?? '') === type);

  test.each(MATCH_OPERATORS)('has rows for %j without a type and as a version', (op) => {
    expect([answersOf(op, '').length, answersOf(op, 'version').length].every(Boolean)).toBe(true);
  });

  test.each(MATCH_OPERATORS.filter(Boolean))('has a row for %s with a type that there is not', (op) => {
    expect(answersOf(op, 'number')).not.toEqual([]);
  });

  test('has a row that holds and a row that does not for every operator', () => {
    const holding = MATCH_OPERATORS.map((op) => {
      const answers = [...answersOf(op, ''), ...answersOf(op, 'version')].flatMap((row) => Object.values(row.answers));
      return [op, answers.includes('yes'), answers.includes('no') || op === ''];
    });
    expect(holding).toEqual(MATCH_OPERATORS.map((op) => [op, true, true]));
  });
});
