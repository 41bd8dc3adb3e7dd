import type { RuleError } from '../../rule-error.ts';
import { quote } from '../numbers.ts';
import { templateError } from './values.ts';

/** `spaced`: white space stands in front, which ends an operand. */
export type Token = { kind: TokenKind; text: string; spaced: boolean };
type TokenKind = 'string' | 'number' | 'field' | 'dot' | 'variable' | 'name' | 'sign';

/** A template in order: text, and the tokens of what stands between `{{` and `}}`. */
export type Piece = { text: string } | { action: Token[] };

const NAME = String.raw`[\p{L}_][\p{L}\p{Nd}_]*`;
const TOKEN = new RegExp(
  [
    String.raw`(?<space>[ \t\r\n]*)(?:(?<end>(?<=[ \t\r\n])-\}\}|\}\})`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"|\x60[^\x60]*\x60)`,
    String.raw`(?<number>[+-]?[0-9]+(?![\p{L}\p{Nd}_.]))`,
    String.raw`(?<field>\.${NAME})`,
    String.raw`(?<dot>\.)`,
    String.raw`(?<variable>\$[\p{L}\p{Nd}_]*)`,
    `(?<name>${NAME})`,
    '(?<sign>:=|[=|(),]))',
  ].join('|'),
  'uy',
);
const COMMENT_END = /\*\/(?<end>[ \t\r\n]-\}\}|\}\})/y;
const BLANKS = ' \t\r\n';

/** Splits a template as Go's lexer does, with `{{-` and `-}}` carried out and comments left out. Throws RuleError. */
export function splitTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let trimsStart = false;
  for (;;) {
    const start = template.indexOf('{{', position);
    const trimsEnd = start >= 0 && template[start + 2] === '-' && isBlank(template[start + 3]);
    const text = template.slice(position, start < 0 ? undefined : start);
    pieces.push({ text: trimText(text, { trimsStart, trimsEnd }) });
    if (start < 0) return pieces;
    const action = readAction(template, start + (trimsEnd ? 4 : 2));
    if (action.tokens) pieces.push({ action: action.tokens });
    position = action.end;
    trimsStart = action.trimsNext;
  }
}

type Action = { tokens?: Token[]; end: number; trimsNext: boolean };

function readAction(template: string, start: number): Action {
  if (template.startsWith('/*', start)) return skipComment(template, start);
  const tokens: Token[] = [];
  TOKEN.lastIndex = start;
  for (;;) {
    const position = TOKEN.lastIndex;
    const groups = TOKEN.exec(template)?.groups;
    if (groups === undefined) throw notUnderstood(template, position);
    if (groups.end) return { tokens, end: TOKEN.lastIndex, trimsNext: groups.end !== '}}' };
    tokens.push(toToken(groups));
  }
}

function skipComment(template: string, start: number): Action {
  COMMENT_END.lastIndex = Math.max(template.indexOf('*/', start + 2), start);
  const end = COMMENT_END.exec(template)?.groups?.end;
  if (end === undefined) throw notUnderstood(template, start);
  return { end: COMMENT_END.lastIndex, trimsNext: end !== '}}' };
}

function notUnderstood(template: string, position: number): RuleError {
  let start = position;
  while (isBlank(template[start])) start += 1;
  if (start === template.length) return templateError('the last action is not closed');
  return templateError(`${quote(template.slice(start, start + 20))} at character ${start + 1} is not understood`);
}

function toToken({ space, ...groups }: Record<string, string | undefined>): Token {
  const [kind = 'sign', text = ''] = Object.entries(groups).find(([, match]) => match !== undefined) ?? [];
  return { kind: kind as TokenKind, text, spaced: Boolean(space) };
}

function trimText(text: string, trims: { trimsStart: boolean; trimsEnd: boolean }): string {
  let start = 0;
  let end = text.length;
  while (trims.trimsStart && start < end && isBlank(text[start])) start += 1;
  while (trims.trimsEnd && end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && BLANKS.includes(character);
}
