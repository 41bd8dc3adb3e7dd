import { accepted, RuleError, type RuleErrorCode, type RuleResult } from '../rule-error.ts';
import { evaluateExpression } from './expression.ts';
import type { FeatureRule, FeatureTerm, MatchExpression } from './feature-rule.ts';
import { explainLegacyRule } from './legacy-rule.ts';
import { quote } from './numbers.ts';

/** Rules that come before those of a worker's configuration (NFD v0.19 §2.10). */
export const STATIC_WORKER_RULES: readonly FeatureRule[] = [
  {
    name: 'rdma.capable',
    labels: { 'rdma.capable': 'true' },
    matchFeatures: [{ feature: 'pci.device', matchExpressions: { vendor: { op: 'In', value: ['15b3'] } } }],
  },
  {
    name: 'rdma.available',
    labels: { 'rdma.available': 'true' },
    matchFeatures: [
      { feature: 'kernel.loadedmodule', matchExpressions: { ib_uverbs: { op: 'Exists' }, rdma_ucm: { op: 'Exists' } } },
    ],
  },
];

/** Ge, Le and GeLe are for NodeFeatureRules only (T11). */
const WORKER_OPERATORS = ['In', 'NotIn', 'InRegexp', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'GtLt', 'IsTrue', 'IsFalse'];

/**
 * Reads the rules of a worker's `sources.custom` or of one file in `custom.d`, as parsed from YAML (NFD v0.19 §5.3).
 * Short forms become whole expressions: a scalar or a list is In, null is Exists, a list of names is Exists or, with
 * "=", In; `type` is dropped. One wrong rule refuses them all.
 *
 * WrongFeatureRule: a field that worker rules have not, a wrong type or expression; WrongRegexp. LegacyFeatureRule:
 * a rule with `matchOn`; the message says what each of its matchers is today. Upstream takes an unknown matcher for one
 * that always matches (T13).
 */
export function parseWorkerRules(document: unknown): RuleResult<FeatureRule[]> {
  try {
    return accepted(readList(document ?? [], 'rules').map((rule, index) => readRule(rule, `rules[${index}]`)));
  } catch (error) {
    if (error instanceof RuleError) return { ok: false, error };
    throw error;
  }
}

/** Reads one field; throws RuleError, which `parseWorkerRules` hands back as a value. */
type ReadField = (value: unknown, place: string) => unknown;

const RULE_FIELDS = new Map<string, ReadField>([
  ['name', readText],
  ['labels', readTexts],
  ['labelsTemplate', readText],
  ['vars', readTexts],
  ['varsTemplate', readText],
  ['matchFeatures', readTerms],
  ['matchAny', readAlternatives],
]);

const TERM_FIELDS = new Map<string, ReadField>([
  ['feature', readText],
  ['matchExpressions', readExpressions],
  ['matchName', readExpression],
]);

function readRule(rule: unknown, place: string): FeatureRule {
  const entries = Object.entries(readObject(rule, place));
  const legacy = entries.find(([key]) => key.toLowerCase() === 'matchon'); // Go does not mind the case
  if (legacy) throw new RuleError('LegacyFeatureRule', `${place}: ${explainLegacyRule(legacy[1])}`);
  const fields = readFields(entries, RULE_FIELDS, place);
  if (!fields.name) throw wrong(`${place} has no name`);
  return fields as FeatureRule;
}

function readTerms(value: unknown, place: string): FeatureTerm[] {
  return readList(value, place).map((term, index) => {
    const fields = readFields(
      Object.entries(readObject(term, `${place}[${index}]`)),
      TERM_FIELDS,
      `${place}[${index}]`,
    );
    if (!fields.feature) throw wrong(`${place}[${index}] has no feature`);
    return fields as FeatureTerm;
  });
}

function readAlternatives(value: unknown, place: string): { matchFeatures: FeatureTerm[] }[] {
  return readList(value, place).map((element, index) => {
    const fields = Object.entries(readObject(element, `${place}[${index}]`));
    return {
      matchFeatures: [],
      ...readFields(fields, new Map([['matchFeatures', readTerms]]), `${place}[${index}]`),
    };
  });
}

/** Reads known fields; a null is as good as no field. */
function readFields(
  entries: readonly [string, unknown][],
  fields: ReadonlyMap<string, ReadField>,
  place: string,
): Record<string, unknown> {
  const read = entries.map(([key, value]): [string, unknown] => {
    const readField = fields.get(key);
    if (!readField) throw wrong(`${place} has no field ${quote(key)}; there are ${[...fields.keys()].join(', ')}`);
    return [key, value === null ? undefined : readField(value, `${place}.${key}`)];
  });
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

function readExpressions(value: unknown, place: string): Record<string, MatchExpression> {
  if (!Array.isArray(value)) {
    const entries = Object.entries(readObject(value, place));
    return Object.fromEntries(entries.map(([key, item]) => [key, readExpression(item, `${place}.${key}`)]));
  }
  const named = value.map((item, index): [string, MatchExpression] => {
    const [name = '', ...rest] = readText(item, `${place}[${index}]`).split('=');
    return [name, rest.length > 0 ? { op: 'In', value: [rest.join('=')] } : { op: 'Exists' }];
  });
  return Object.fromEntries(named);
}

function readExpression(expression: unknown, place: string): MatchExpression {
  if (expression === null) return { op: 'Exists' };
  if (typeof expression !== 'object' || Array.isArray(expression)) {
    return checkExpression({ op: 'In', value: readValues(expression, place) }, place);
  }
  const { op = '', value = [], type: _dropped, ...unknown } = expression as Record<string, unknown>;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw wrong(`${place} has no field ${quote(surplus)}; there are op, value`);
  return checkExpression({ op: readText(op, `${place}.op`), value: readValues(value ?? [], `${place}.value`) }, place);
}

function checkExpression(expression: MatchExpression, place: string): MatchExpression {
  if (!WORKER_OPERATORS.includes(expression.op)) {
    throw wrong(`${place}: operator ${quote(expression.op)} is none of ${WORKER_OPERATORS.join(', ')}`);
  }
  // Of a value that fits every operator only the expression itself can be wrong.
  const tried = evaluateExpression(expression, { exists: true, value: '0' });
  if (!tried.ok) throw wrong(`${place}: ${tried.error.message}`, tried.error.code);
  return expression;
}

function readValues(value: unknown, place: string): string[] {
  if (Array.isArray(value)) return value.map((item, index) => readText(item, `${place}[${index}]`));
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
  return [readText(value, place)];
}

function readTexts(value: unknown, place: string): Record<string, string> {
  const entries = Object.entries(readObject(value, place));
  return Object.fromEntries(entries.map(([key, text]) => [key, readText(text, `${place}.${key}`)]));
}

function readText(value: unknown, place: string): string {
  if (typeof value !== 'string') throw wrong(`${place} is not a text; texts like numbers need quotes`);
  return value;
}

function readList(value: unknown, place: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(`${place} is not a list`);
  return value;
}

function readObject(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${place} is not a map`);
  return value as Record<string, unknown>;
}

function wrong(message: string, code: RuleErrorCode = 'WrongFeatureRule'): RuleError {
  return new RuleError(code, message);
}
