import { accepted, type RuleResult, refused } from './rule-error.ts';

/** A template with its variables put in. */
export type SubstitutedTemplate = {
  text: string;
  /** Names of variables that are not known and became empty, in order; mostly typing errors. */
  unset: string[];
  /** What stood behind a name in braces without being an operator, e.g. "/x" of `${NAME/x}`. */
  ignored: string[];
};

const NAME = String.raw`[\p{L}\p{Nd}_]+`;
const TEXT = String.raw`[^$}\r\n]*`;
const OPERATION = String.raw`(?<operator>:?[-=+])(?:\$(?<other>${NAME})|(?<word>${TEXT}))`;
const NO_OPERATION = String.raw`(?<ignored>[^$}\r\n\p{L}\p{Nd}_]${TEXT})?`;
/**
 * Everything that begins with a dollar sign and is not plain text; a `${` alone is one that is not closed or understood.
 * A name is never followed by what could be more of it, so that a failing match does not try again from each of its ends.
 */
const VARIABLE = new RegExp(
  String.raw`\$\$|\$(?<bare>${NAME})|\$\{(?<braced>${NAME})(?:${OPERATION}|${NO_OPERATION})\}|\$\{`,
  'gu',
);

/**
 * Puts variables into a template, by the grammar of KMM v2.6 §3.4 (the golden rows were run through upstream's parser):
 * `$NAME`, `${NAME}`, `${NAME:-text}` and `${NAME:=text}` (text if unset or empty), `${NAME-text}` and `${NAME=text}`
 * (text if unset), `${NAME:+text}` and `${NAME+text}` (text if set), `$$` for a dollar sign. The text is plain or one
 * `$NAME`. An unknown variable becomes empty; a `$` before anything else stays as it is.
 *
 * WrongTemplate: a `${` without a name or without its `}` on the same line, or a text that mixes `$` with more, which
 * upstream garbles without a word. Time is linear in the template: the scan ends at the first error.
 */
export function substituteTemplate(
  template: string,
  variables: ReadonlyMap<string, string>,
): RuleResult<SubstitutedTemplate> {
  const result: SubstitutedTemplate = { text: '', unset: [], ignored: [] };
  let end = 0;
  for (const match of template.matchAll(VARIABLE)) {
    if (match[0] === '${') {
      return refused('WrongTemplate', `the variable at character ${match.index + 1} is not closed, or not understood`);
    }
    result.text += template.slice(end, match.index) + evaluate(match, variables, result);
    end = match.index + match[0].length;
  }
  result.text += template.slice(end);
  return accepted(result);
}

function evaluate(match: RegExpExecArray, variables: ReadonlyMap<string, string>, report: SubstitutedTemplate): string {
  const { bare, braced, operator, other, word, ignored } = match.groups ?? {};
  const lookUp = (name: string) => {
    if (!variables.has(name)) report.unset.push(name);
    return variables.get(name) ?? '';
  };
  const name = bare ?? braced;
  if (name === undefined) return '$';
  if (ignored !== undefined) report.ignored.push(ignored);
  if (operator === undefined) return lookUp(name);
  const text = () => (other === undefined ? (word ?? '') : lookUp(other));
  if (operator.endsWith('+')) return variables.has(name) ? text() : '';
  const value = variables.get(name);
  const isMissing = operator.startsWith(':') ? !value : value === undefined;
  return isMissing ? text() : lookUp(name);
}
