import type { Features } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RuleError } from '../rule-error.ts';
import { evaluateRules } from './evaluate-rules.ts';
import { evaluateExpression, MATCH_OPERATORS } from './expression.ts';
import type { FeatureRule, FeatureTerm, MatchExpression } from './feature-rule.ts';
import { expandTemplates, type MatchedFeatures } from './template/expand.ts';
import { parseWorkerRules } from './worker-rules.ts';

/** Few names and values, so that rules and features meet; and those that objects inherit. */
const name = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'Name');
const value = fc.oneof(fc.constantFrom('1', '-5', '1.2', 'true', '', 'x', '@f.s.a', '('), fc.string({ maxLength: 5 }));
const feature = fc.constantFrom('f.s', 'F.t', 'rule.matched', 'no.such', 'nodot', '__proto__', '');
const mapOf = <T>(item: fc.Arbitrary<T>) => fc.dictionary(name, item, { maxKeys: 3 });
const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });

const expression: fc.Arbitrary<MatchExpression> = fc.record(
  {
    op: fc.constantFrom(...MATCH_OPERATORS, 'Unknown', 'constructor'),
    value: listOf(value),
    type: fc.constantFrom('', 'version', 'other'),
  },
  { requiredKeys: ['op'] },
);
const term: fc.Arbitrary<FeatureTerm> = fc.record(
  { feature, matchExpressions: mapOf(expression), matchName: expression },
  { requiredKeys: ['feature'] },
);
/** Text made of the language's own parts finds more paths than text by chance. */
const template = fc
  .array(
    fc.oneof(
      fc.constantFrom('{{', '}}', '{{- ', ' -}}', '{{ end }}', '{{ else }}', '{{ range .f.s }}', '{{ if .f }}', '$x'),
      fc.constantFrom(' := ', '|', '(', ')', '.Name', '.f.s', 'index ', 'printf "%s" ', 'and ', '"', '`', '=', '\n'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 15 },
  )
  .map((parts) => parts.join(''));
const rule: fc.Arbitrary<FeatureRule> = fc.record(
  {
    name: fc.string({ maxLength: 5 }),
    labels: mapOf(value),
    labelsTemplate: template,
    vars: mapOf(value),
    varsTemplate: template,
    annotations: mapOf(value),
    extendedResources: mapOf(value),
    taints: listOf(fc.record({ key: name, value, effect: fc.constantFrom('NoSchedule', 'NoExecute') })),
    matchFeatures: listOf(term),
    matchAny: listOf(fc.record({ matchFeatures: listOf(term) })),
  },
  { requiredKeys: ['name'] },
);
const setsOf = <T>(elements: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom('f.s', 'f.t', 'rule.matched', '__proto__'), fc.record({ elements }), { maxKeys: 3 });
const features: fc.Arbitrary<Features> = fc.record(
  {
    flags: setsOf(mapOf(fc.constant({}))),
    attributes: setsOf(mapOf(value)),
    instances: setsOf(listOf(fc.record({ attributes: mapOf(value) }))),
  },
  { requiredKeys: [] },
);

test('any rules and features give an outcome, only labels that Kubernetes takes, and stay as they are', () => {
  const property = fc.property(listOf(rule), features, (rules, node) => {
    const before = structuredClone({ rules, node });
    const { labels, errors, matched } = evaluateRules(rules, node);
    for (const error of errors) expect(error).toBeInstanceOf(RuleError);
    const lines = Object.entries(labels).map(([key, text]) => `${key}=${text}`);
    expect(lines.filter((line) => !/^[\w.-]{1,63}=[\w.-]{0,63}$/.test(line))).toEqual([]);
    expect(matched.length).toBeLessThanOrEqual(rules.length);
    expect({ rules, node }).toEqual(before);
  });
  fc.assert(property, { numRuns: 500 });
});

test('the outcome does not depend on the order of expressions, flags, attributes and devices', () => {
  const reversed = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).reverse()) as T;
  const property = fc.property(mapOf(expression), features, (matchExpressions, node) => {
    const rules = (expressions: Record<string, MatchExpression>) => [
      { name: 'r', labels: { a: '1' }, matchFeatures: [{ feature: 'f.s', matchExpressions: expressions }] },
    ];
    const turned: Features = {
      ...node,
      instances: Object.fromEntries(
        Object.entries(node.instances ?? {}).map(([set, { elements }]) => [set, { elements: elements.toReversed() }]),
      ),
      attributes: Object.fromEntries(
        Object.entries(node.attributes ?? {}).map(([set, { elements }]) => [set, { elements: reversed(elements) }]),
      ),
    };
    const plain = evaluateRules(rules(matchExpressions), node);
    const other = evaluateRules(rules(reversed(matchExpressions)), turned);
    expect(other.labels).toEqual(plain.labels);
    expect(other.errors.length).toBe(plain.errors.length);
  });
  fc.assert(property, { numRuns: 500 });
});

const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const holds = (op: string, values: readonly bigint[], given: bigint) =>
  evaluateExpression({ op, value: values.map(String) }, { exists: true, value: String(given) });

test('any two integers compare as they do in arithmetic', () => {
  fc.assert(
    fc.property(integer, integer, (bound, given) => {
      const answers = ['Gt', 'Ge', 'Lt', 'Le'].map((op) => holds(op, [bound], given));
      const wanted = [given > bound, given >= bound, given < bound, given <= bound];
      expect(answers).toEqual(wanted.map((answer) => ({ ok: true, value: answer })));
    }),
  );
});

test('any integer is within bounds as it is above one and below the other', () => {
  fc.assert(
    fc.property(integer, integer, integer, (lower, upper, given) => {
      fc.pre(lower < upper);
      expect(holds('GtLt', [lower, upper], given)).toEqual({ ok: true, value: given > lower && given < upper });
      expect(holds('GeLe', [lower, upper], given)).toEqual({ ok: true, value: given >= lower && given <= upper });
    }),
  );
});

test('any value that is there is either In or NotIn, and what is missing is neither', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), value, (values, given) => {
      const ask = (op: string, subject: { exists: boolean; value?: string }) =>
        evaluateExpression({ op, value: values }, subject);
      const isIn = ask('In', { exists: true, value: given });
      expect(ask('NotIn', { exists: true, value: given })).toEqual({ ok: true, value: isIn.ok && !isIn.value });
      expect([ask('In', { exists: false }), ask('NotIn', { exists: false })]).toEqual([
        { ok: true, value: false },
        { ok: true, value: false },
      ]);
    }),
  );
});

test('anything read as rules of a worker is rules or a RuleError', () => {
  const document = fc.oneof(
    fc.jsonValue(),
    listOf(rule),
    listOf(fc.dictionary(fc.constantFrom('name', 'matchOn'), fc.jsonValue())),
  );
  fc.assert(
    fc.property(document, (given) => {
      const parsed = parseWorkerRules(given);
      if (parsed.ok) expect(evaluateRules(parsed.value, {}, { dynamicValues: 'refuse' }).taints).toEqual([]);
      else expect(parsed.error).toBeInstanceOf(RuleError);
    }),
  );
});

const matchOf = (count: number): MatchedFeatures =>
  new Map([['f', new Map([['s', Array.from({ length: count }, (_, index) => ({ Name: String(index) }))]])]]);

test('any lines without braces come out of a template as they are', () => {
  const line = fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[a-z0-9=. -]{0,8}[a-z]$/));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const written = lines.map(([key, text]) => `  ${key}=${text}\n\n`).join('');
      expect(expandTemplates(written, [matchOf(1)])).toEqual({ ok: true, value: new Map(lines) });
    }),
  );
});

test('any template gives lines or a RuleError', () => {
  fc.assert(
    fc.property(template, (given) => {
      const expanded = expandTemplates(given, [matchOf(2)]);
      if (!expanded.ok) expect(expanded.error).toMatchObject({ code: 'WrongFeatureTemplate', retry: 'never' });
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['{{ range .f.s }}', '{{ end }}'],
  ['{{ range $.f.s }}{{ len $.f.s }}', '{{ end }}'],
])('a template that ranges within ranges comes to an end: %s', (open, close) => {
  const expanded = expandTemplates(`${open.repeat(5)}${close.repeat(5)}`.replaceAll(' .f', ' $.f'), [matchOf(1000)]);
  expect(expanded).toMatchObject({ ok: false, error: { message: expect.stringContaining('more than') } });
});

test.each([
  '{{ $x = printf "%s%s" $x $x }}',
  '{{ $x = replace "x" "xxxxxxxxxx" $x }}',
  '{{ $x = join $x (splitList "" $x) }}',
])('a template that doubles its text comes to an end: %s', (step) => {
  const expanded = expandTemplates(`{{ $x := "xx" }}${step.repeat(60)}a={{ $x }}`, [matchOf(1)]);
  expect(expanded).toMatchObject({ ok: false, error: { message: expect.stringMatching(/too much|more than/) } });
});

const MAX_BYTES = 65_536;
test.each([
  '{{',
  '}}',
  '{{ if true }}',
  '{{ else if true }}',
  '{{(',
  '{{ "',
  '{{/*',
  '{{- ',
  ' -}}',
  ' ',
  '\n',
  '{{ .f.s }}',
  '{{ $x := 1 }}',
  '{{ len',
  '\\',
  '=',
])('a template of many %j comes to an end', (unit) => {
  const many = unit.repeat(MAX_BYTES / unit.length);
  const templates = [many, `{{ if true }}${many.slice(20)}`, `{{ ${many.slice(20)}`, `{{ "${many.slice(20)}`];
  expect(templates.map((given) => typeof expandTemplates(given, [matchOf(3)]).ok)).toEqual(
    templates.map(() => 'boolean'),
  );
});

test.each([
  ['{{ if true }}', 'a=1', '{{ end }}'],
  ['{{ range .f.s }}{{ with $ }}', 'a=1', '{{ end }}{{ end }}'],
  ['{{ if false }}{{ else if true }}', 'a=1', '{{ end }}'],
  ['(', '1', ')'],
])('a template is nested at most 100 levels deep by %s', (open, inner, close) => {
  const nest = (count: number) => {
    const nested = `${open.repeat(count)}${inner}${close.repeat(count)}`;
    return expandTemplates(open === '(' ? `a={{ ${nested} }}` : nested, [matchOf(1)]);
  };
  const deep = { ok: false, error: { message: 'the template is nested more than 100 levels deep' } };
  expect(nest(50)).toEqual({ ok: true, value: new Map([['a', '1']]) });
  expect([nest(101), nest(1_000)]).toMatchObject([deep, deep]);
});

test('parentheses as many as fit do not exhaust the stack', () => {
  const many = 32_000;
  expect(expandTemplates(`{{ ${'('.repeat(many)}1${')'.repeat(many)} }}`, [matchOf(1)]).ok).toBe(false);
});

test('a template over 65,536 bytes is refused', () => {
  const sizes = [MAX_BYTES, MAX_BYTES + 1].map((size) => expandTemplates('='.padEnd(size), [matchOf(1)]).ok);
  expect(sizes).toEqual([true, false]);
});

test.each([
  {
    op: 'InRegexp',
    value: ['(a+)+$', '(a|aa)+$', '(.*a){20}$', '(a*)*b$'],
    given: `${'a'.repeat(200_000)}!`,
    ok: true,
  },
  { op: 'Gt', value: ['1'], given: '9'.repeat(200_000), ok: false },
  { op: 'Lt', value: ['1'], given: `${'0'.repeat(200_000)}2`, ok: true },
])('$op of a very long value comes to an end', ({ given, ok, ...expression }) => {
  expect(evaluateExpression(expression, { exists: true, value: given }).ok).toBe(ok);
});

test('a version with a very long part comes to an end', () => {
  const texts = [
    '1'.repeat(200_000),
    `1.2.3-${'a.'.repeat(100_000)}`,
    `1.2.3-${'-'.repeat(200_000)}`,
    `v${'1.'.repeat(100_000)}`,
  ];
  const answers = texts.map((given) =>
    evaluateExpression({ op: 'Gt', value: ['1'], type: 'version' }, { exists: true, value: given }),
  );
  expect(answers.map(({ ok }) => ok)).toEqual([false, false, true, false]);
});
