import { quote } from '../numbers.ts';
import { formatValue, kindOf, MAX_TEXT, templateError, type Value } from './values.ts';

const VERB = /%(?<flags>[-0]*)(?<width>[0-9]*)(?:\.(?<precision>[0-9]+))?(?<verb>[a-zA-Z%])|%/g;
const MAX_WIDTH = 1000;

/** One `%` with what stands behind it. */
type Directive = { verb: string; flags: string; width: number; precision: number | undefined };

/**
 * Go's printf with the verbs %s %v %d %x %X %q %t %%, the flags `-` and `0`, a width and, for %s, a precision. A verb
 * that does not fit its value, and values too many or too few, are errors; Go would print `%!d(string=a)` into the label.
 */
export function formatText(format: string, values: readonly Value[]): string {
  const rest = [...values].reverse();
  let length = 0;
  const text = format.replace(VERB, (match, ...groups) => {
    const directive = toDirective(match, groups.at(-1) as Record<string, string | undefined>);
    if (directive.verb === '%') return '%';
    const value = rest.pop();
    if (value === undefined) throw templateError(`has no value for ${quote(match)}`);
    const formatted = pad(formatVerb(directive, value), directive);
    length += formatted.length;
    if (length > MAX_TEXT) throw templateError('writes too much text');
    return formatted;
  });
  if (rest.length > 0) throw templateError(`has ${rest.length} values more than ${quote(format)} asks for`);
  return text;
}

function toDirective(match: string, groups: Record<string, string | undefined>): Directive {
  const { verb, flags = '', width, precision } = groups;
  if (verb === undefined) throw templateError(`does not know what follows ${quote(match)}`);
  const directive = {
    verb,
    flags,
    width: Number(width ?? 0),
    precision: precision === undefined ? undefined : Number(precision),
  };
  if (directive.width > MAX_WIDTH) throw templateError(`pads to ${MAX_WIDTH} characters at most`);
  return directive;
}

function formatVerb({ verb, precision }: Directive, value: Value): string {
  const isText = typeof value === 'string';
  if (verb === 'v') return formatValue(value);
  if (verb === 's' && typeof value !== 'number' && typeof value !== 'boolean')
    return formatValue(value).slice(0, precision);
  if (verb === 'q' && isText) return JSON.stringify(value);
  if (verb === 't' && typeof value === 'boolean') return String(value);
  if (verb === 'd' && typeof value === 'number') return String(value);
  if (verb === 'x' || verb === 'X') return hexadecimal(verb, value);
  throw templateError(`cannot write ${kindOf(value)} as %${verb}`);
}

function hexadecimal(verb: string, value: Value): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw templateError(`cannot write ${kindOf(value)} as %${verb}`);
  }
  const digits = typeof value === 'string' ? Buffer.from(value).toString('hex') : value.toString(16);
  return verb === 'X' ? digits.toUpperCase() : digits;
}

function pad(text: string, { flags, width }: Directive): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^-?/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
