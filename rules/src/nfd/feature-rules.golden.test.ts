import type { Features } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readRows } from '../golden/read-rows.ts';
import { evaluateRules, type RuleOutcome } from './evaluate-rules.ts';
import type { FeatureRule } from './feature-rule.ts';

type Case = Partial<Omit<RuleOutcome, 'errors'>> & {
  rules: Partial<FeatureRule>[];
  features?: ShortFeatures;
  dynamicValues?: 'resolve' | 'refuse';
  errors?: string[];
};
/** Features without the words that only the API needs. */
type ShortFeatures = {
  flags?: Record<string, string[]>;
  attributes?: Record<string, Record<string, string>>;
  instances?: Record<string, Record<string, string>[]>;
};

test.each(readRows<Case>('feature-rules'))('evaluateRules $behaviour', (row) => {
  const { rules: written, features = {}, dynamicValues = 'resolve', behaviour: _title, upstream: _note, ...wanted } = row;
  const rules = written.map((rule): FeatureRule => ({ name: 'rule', ...rule }));
  const input = { rules, features: wholeFeatures(features) };
  const before = structuredClone(input);
  const outcome = evaluateRules(input.rules, input.features, { dynamicValues });
  const errors = outcome.errors.map(({ code, message }) => `${code}: ${message}`);
  expect({ ...outcome, errors }).toStrictEqual({ ...nothing, matched: rules.map(({ name }) => name), ...wanted });
  expect(input).toEqual(before);
});

const nothing = { labels: {}, annotations: {}, taints: [], extendedResources: {}, vars: {}, errors: [] };

function wholeFeatures({ flags = {}, attributes = {}, instances = {} }: ShortFeatures): Features {
  const setsOf = <T, U>(sets: Record<string, T>, toElements: (set: T) => U) =>
    Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, { elements: toElements(set) }]));
  return {
    flags: setsOf(flags, (names) => Object.fromEntries(names.map((name) => [name, {}]))),
    attributes: setsOf(attributes, (elements) => elements),
    instances: setsOf(instances, (elements) => elements.map((each) => ({ attributes: each }))),
  };
}
