import { accepted, type RuleResult, refused } from '../rule-error.ts';
import { searchExpression } from '../search-expression.ts';
import type { MatchExpression } from './feature-rule.ts';
import { parseInteger, parseVersion, quote } from './numbers.ts';

/** What an expression is asked of. A flag exists or not and never has a value. */
export type Subject = { exists: boolean; value?: string };

type Asked = Required<MatchExpression>;
type Operator = {
  /** How many values the expression must give. */
  values: 'none' | 'some' | 1 | 2;
} & (
  | { holdsFor: 'presence'; holds: (exists: boolean) => boolean }
  | { holdsFor: 'value'; holds: (value: string, asked: Asked) => RuleResult<boolean> }
);

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['', presence(() => true)], // no user can write it: the CRD's enum has no such operator
  ['Exists', presence((exists) => exists)],
  ['DoesNotExist', presence((exists) => !exists)],
  ['In', { values: 'some', holdsFor: 'value', holds: (value, asked) => accepted(asked.value.includes(value)) }],
  ['NotIn', { values: 'some', holdsFor: 'value', holds: (value, asked) => accepted(!asked.value.includes(value)) }],
  ['InRegexp', { values: 'some', holdsFor: 'value', holds: searchAny }],
  ['IsTrue', { values: 'none', holdsFor: 'value', holds: (value) => accepted(value === 'true') }],
  ['IsFalse', { values: 'none', holdsFor: 'value', holds: (value) => accepted(value === 'false') }],
  ['Gt', comparison(1, ([order]) => order > 0)],
  ['Ge', comparison(1, ([order]) => order >= 0)],
  ['Lt', comparison(1, ([order]) => order < 0)],
  ['Le', comparison(1, ([order]) => order <= 0)],
  ['GtLt', comparison(2, ([lower, upper]) => lower > 0 && upper < 0)],
  ['GeLe', comparison(2, ([lower, upper]) => lower >= 0 && upper <= 0)],
]);

/** Every operator there is; "" always holds. */
export const MATCH_OPERATORS: readonly string[] = [...OPERATORS.keys()];

/**
 * Whether the expression holds for one element (NFD v0.19 §5.2). Operators other than "", Exists and DoesNotExist hold
 * for no flag and no missing element, NotIn included, and only look at their values when there is something to compare.
 *
 * WrongFeatureRule: unknown operator or type, wrong number of values, a side of a comparison that is no integer (or no
 * version), bounds that do not rise. WrongRegexp: an expression that is not RE2.
 */
export function evaluateExpression(expression: MatchExpression, { exists, value }: Subject): RuleResult<boolean> {
  const asked: Asked = { value: [], type: '', ...expression };
  const operator = OPERATORS.get(asked.op);
  if (operator === undefined) return refused('WrongFeatureRule', `operator ${quote(asked.op)} is not known`);
  if (operator.holdsFor === 'value' && (!exists || value === undefined)) return accepted(false);
  if (!fits(asked.value.length, operator.values)) {
    return refused('WrongFeatureRule', `operator ${asked.op} has ${asked.value.length} values, not ${operator.values}`);
  }
  return operator.holdsFor === 'presence' ? accepted(operator.holds(exists)) : operator.holds(value ?? '', asked);
}

function fits(count: number, wanted: Operator['values']): boolean {
  if (wanted === 'some') return count > 0;
  return count === (wanted === 'none' ? 0 : wanted);
}

function presence(holds: (exists: boolean) => boolean): Operator {
  return { values: 'none', holdsFor: 'presence', holds };
}

/** A wrong expression is an error even behind one that is found, so that the answer does not depend on the value. */
function searchAny(value: string, { value: expressions }: Asked): RuleResult<boolean> {
  const searches = expressions.map((expression) => searchExpression(expression, value));
  return searches.find(({ ok }) => !ok) ?? accepted(searches.some((search) => search.ok && search.value));
}

/** `holds` is told how the element's value stands to each bound: below 0, 0 when equal, above 0. */
function comparison(values: 1 | 2, holds: (orders: [number, number]) => boolean): Operator {
  return {
    values,
    holdsFor: 'value',
    holds(value, asked) {
      const sides = parseSides([value, ...asked.value], asked);
      if (!sides.ok) return sides;
      const [subject = [], lower = [], upper = []] = sides.value;
      if (asked.type === '' && values === 2 && order(lower, upper) >= 0) {
        return refused('WrongFeatureRule', `operator ${asked.op}: ${lower[0]} is not less than ${upper[0]}`);
      }
      return accepted(holds([order(subject, lower), order(subject, upper)]));
    },
  };
}

function parseSides(texts: readonly string[], { op, type }: Asked): RuleResult<bigint[][]> {
  const sides: bigint[][] = [];
  for (const text of texts) {
    const side = parseSide(text, type);
    if (!side.ok) return refused(side.error.code, `operator ${op}: ${side.error.message}`, { cause: side.error });
    sides.push(side.value);
  }
  return accepted(sides);
}

function parseSide(text: string, type: string): RuleResult<bigint[]> {
  if (type === 'version') return parseVersion(text);
  if (type !== '') return refused('WrongFeatureRule', `type ${quote(type)} is not known`);
  const integer = parseInteger(text);
  return integer.ok ? accepted([integer.value]) : integer;
}

function order(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [index, number] of a.entries()) {
    const other = b[index] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  return 0;
}
