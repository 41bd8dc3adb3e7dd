import { RuleError } from '../../rule-error.ts';
import { parseInteger, quote } from '../numbers.ts';

/** What a template computes with; Go's int is a safe integer here. */
export type Value = string | number | boolean | readonly Value[] | Dict;

/** A map. `missing` is what `index` gives for a key that it has not, Go's zero value; a field that it has not is an error. */
export type Dict = { entries: ReadonlyMap<string, Value>; missing: Value };

/** Characters of any one text; far beyond what labels hold. */
export const MAX_TEXT = 1_000_000;

/**
 * Inside templates errors are thrown, as parser and evaluator recurse; `expandTemplates` hands them back as values and
 * nothing of it is seen outside.
 */
export function templateError(message: string, options?: ErrorOptions): RuleError {
  return new RuleError('WrongFeatureTemplate', message, options);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isDict(value: Value): value is Dict {
  return typeof value === 'object' && !isList(value);
}

/** With its article, for messages. */
export function kindOf(value: Value): string {
  if (typeof value === 'object') return isList(value) ? 'a list' : 'a map';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'number' ? 'an integer' : 'a boolean';
}

/** Go's rule for `if`: false, 0 and what is empty are not true. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  return isDict(value) ? value.entries.size > 0 : Boolean(value);
}

/** Entries in order of their keys, as Go ranges over a map and prints it. */
export function sortedEntries({ entries }: Dict): [string, Value][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Go's %v: `[a b]` of a list, `map[k:v k:v]` of a map. */
export function formatValue(value: Value): string {
  if (isList(value)) return `[${value.map(formatValue).join(' ')}]`;
  if (!isDict(value)) return String(value);
  const entries = sortedEntries(value).map(([key, item]) => `${key}:${formatValue(item)}`);
  return `map[${entries.join(' ')}]`;
}

/** An integer that JavaScript can count with. */
export function toInteger(text: string): number {
  const integer = parseInteger(text);
  const value = integer.ok ? Number(integer.value) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw templateError(`${quote(text)} is not an integer of 53 bits`);
  return value;
}

/** U+FEFF is no blank in Go, U+0085 is; in JavaScript it is the other way round. */
const GO_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Go's strings.TrimSpace. */
export function trimSpace(text: string): string {
  return trimWhere(text, (character) => GO_SPACE.test(character));
}

/** Takes characters off both ends; by hand, as an expression for the end would try again from each blank within. */
export function trimWhere(text: string, isTaken: (character: string) => boolean): string {
  let start = 0;
  let end = text.length;
  while (start < end && isTaken(text.charAt(start))) start += 1;
  while (end > start && isTaken(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
