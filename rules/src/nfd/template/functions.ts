import { formatText } from './printf.ts';
import {
  formatValue,
  isDict,
  isList,
  isTrue,
  kindOf,
  MAX_TEXT,
  templateError,
  toInteger,
  trimSpace,
  trimWhere,
  type Value,
} from './values.ts';

/** An argument that is worked out when it is asked for: `and` and `or` leave the rest alone once they know. */
export type Argument = () => Value;
/** Throws RuleError for arguments that it does not take. */
export type TemplateFunction = (given: readonly Argument[]) => Value;

/** By the names, the order of arguments and the answers of Go's text/template and of sprig. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['and', onArguments((given) => settle(given, (value) => !isTrue(value)))],
  ['or', onArguments((given) => settle(given, isTrue))],
  ['not', onValues([1, 1], ([value]) => !isTrue(value))],
  ['eq', onValues([2, Infinity], ([first, ...others]) => others.some((other) => compare(first, other) === 0))],
  ['ne', onValues([2, 2], ([a, b = '']) => compare(a, b) !== 0)],
  ['lt', onValues([2, 2], ([a, b = '']) => order(a, b) < 0)],
  ['le', onValues([2, 2], ([a, b = '']) => order(a, b) <= 0)],
  ['gt', onValues([2, 2], ([a, b = '']) => order(a, b) > 0)],
  ['ge', onValues([2, 2], ([a, b = '']) => order(a, b) >= 0)],
  ['len', onValues([1, 1], ([value]) => lengthOf(value))],
  ['index', onValues([1, Infinity], ([value, ...keys]) => keys.reduce(elementOf, value))],
  ['printf', onValues([1, Infinity], ([format, ...values]) => formatText(textOf(format), values))],
  ['default', onValues([1, 2], ([fallback, value]) => (value !== undefined && isTrue(value) ? value : fallback))],
  ['first', onValues([1, 1], ([list]) => elementOf(list, 0))],
  ['last', onValues([1, 1], ([list]) => elementOf(list, listOf(list).length - 1))],
  ['join', onValues([2, 2], ([separator, list = '']) => join(textOf(separator), listOf(list)))],
  ['substr', onValues([3, 3], ([start, end = '', text = '']) => cut(textOf(text), integerOf(start), integerOf(end)))],
  ['trim', onTexts(1, trimSpace)],
  ['trimAll', onTexts(2, (cutset, text) => trimWhere(text, (character) => cutset.includes(character)))],
  ['trimPrefix', onTexts(2, (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text))],
  ['trimSuffix', onTexts(2, (end, text) => (text.endsWith(end) ? text.slice(0, text.length - end.length) : text))],
  ['lower', onTexts(1, (text) => text.toLowerCase())],
  ['upper', onTexts(1, (text) => text.toUpperCase())],
  ['replace', onTexts(3, replace)],
  ['contains', onTexts(2, (part, text) => text.includes(part))],
  ['hasPrefix', onTexts(2, (prefix, text) => text.startsWith(prefix))],
  ['hasSuffix', onTexts(2, (suffix, text) => text.endsWith(suffix))],
  ['splitList', onTexts(2, (separator, text) => text.split(separator))],
  ['atoi', onTexts(1, toInteger)],
]);

function onArguments(run: TemplateFunction): TemplateFunction {
  return (given) => {
    requireCount(given.length, [1, Infinity]);
    return run(given);
  };
}

function onValues([least, most]: [number, number], run: (values: [Value, ...Value[]]) => Value): TemplateFunction {
  return (given) => {
    requireCount(given.length, [least, most]);
    const [first = '', ...others] = given.map((argument) => argument());
    return run([first, ...others]);
  };
}

function onTexts(count: number, run: (a: string, b: string, c: string) => Value): TemplateFunction {
  return onValues([count, count], (values) => {
    const [a = '', b = '', c = ''] = values.map(textOf);
    return run(a, b, c);
  });
}

function requireCount(count: number, [least, most]: [number, number]): void {
  if (count >= least && count <= most) return;
  const wanted = most === Infinity ? `${least} or more` : [...new Set([least, most])].join(' or ');
  throw templateError(`takes ${wanted} arguments, has ${count}`);
}

/** The first value that settles it, else the last. */
function settle(given: readonly Argument[], settles: (value: Value) => boolean): Value {
  let value: Value = false;
  for (const argument of given) {
    value = argument();
    if (settles(value)) return value;
  }
  return value;
}

function textOf(value: Value): string {
  if (typeof value !== 'string') throw templateError(`takes a text where it has ${kindOf(value)}`);
  return value;
}

function integerOf(value: Value): number {
  if (typeof value !== 'number') throw templateError(`takes an integer where it has ${kindOf(value)}`);
  return value;
}

function listOf(value: Value): readonly Value[] {
  if (!isList(value)) throw templateError(`takes a list where it has ${kindOf(value)}`);
  return value;
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value); // as Go counts
  return isDict(value) ? value.entries.size : listOf(value).length;
}

function elementOf(value: Value, key: Value): Value {
  if (isDict(value)) return value.entries.get(textOf(key)) ?? value.missing;
  const element = listOf(value)[integerOf(key)];
  if (element === undefined) throw templateError(`there is no element ${formatValue(key)}`);
  return element;
}

/** Below 0, 0 or above 0. Like Go, compares only what is of one kind, and neither lists nor maps. */
function compare(a: Value, b: Value): number {
  if (kindOf(a) !== kindOf(b) || typeof a === 'object') {
    throw templateError(`cannot compare ${kindOf(a)} with ${kindOf(b)}`);
  }
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function order(a: Value, b: Value): number {
  if (typeof a === 'boolean') throw templateError('cannot tell which boolean is less');
  return compare(a, b);
}

/** Between two bytes, as sprig counts; a negative start is 0, a negative or too large end the text's. */
function cut(text: string, start: number, end: number): string {
  const bytes = Buffer.from(text);
  const from = Math.max(start, 0);
  const to = end < 0 || end > bytes.length ? bytes.length : end;
  if (from > to) throw templateError(`cannot cut ${bytes.length} bytes from ${from} to ${to}`);
  return bytes.subarray(from, to).toString();
}

function replace(old: string, by: string, text: string): string {
  if (text.length * by.length > MAX_TEXT) throw templateError('replaces too much text');
  return text.replaceAll(old, () => by);
}

function join(separator: string, list: readonly Value[]): string {
  if (separator.length * list.length > MAX_TEXT) throw templateError('joins too much text');
  return list.map(formatValue).join(separator);
}
