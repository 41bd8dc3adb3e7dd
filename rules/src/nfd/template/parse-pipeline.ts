import { quote } from '../numbers.ts';
import { FUNCTIONS } from './functions.ts';
import type { Command, Operand, Pipeline } from './syntax.ts';
import type { Token } from './tokens.ts';
import { templateError, toInteger, type Value } from './values.ts';

/** Variables that are declared so far; a pipeline adds its own. `depth` grows with each block and parenthesis. */
export type Scope = { variables: Set<string>; depth: number };

/** Templates are parsed and run by recursion, which must end before the stack does. */
export const MAX_DEPTH = 100;

/** Parses what stands in an action, e.g. `$name := index . "pci" | len`. Throws RuleError. */
export function parsePipeline(tokens: readonly Token[], scope: Scope): Pipeline {
  const [variable, sign] = tokens;
  if (variable?.kind !== 'variable' || (sign?.text !== ':=' && sign?.text !== '=')) {
    return parseCommands(tokens, scope);
  }
  const isNew = sign.text === ':=';
  if (!isNew && !scope.variables.has(variable.text)) throw unknownVariable(variable.text);
  const { commands } = parseCommands(tokens.slice(2), scope);
  scope.variables.add(variable.text);
  return { commands, sets: { name: variable.text, isNew } };
}

function parseCommands(tokens: readonly Token[], scope: Scope): Pipeline {
  const reader = new TokenReader(tokens);
  const pipeline = parseUntil(reader, scope);
  if (reader.peek()) throw unexpected(reader.peek());
  return pipeline;
}

class TokenReader {
  readonly #tokens: readonly Token[];
  #position = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }
  peek(): Token | undefined {
    return this.#tokens[this.#position];
  }
  take(): Token | undefined {
    this.#position += 1;
    return this.#tokens[this.#position - 1];
  }
  /** Takes the token if it is this sign. */
  skips(sign: string): boolean {
    const isThere = this.peek()?.kind === 'sign' && this.peek()?.text === sign;
    if (isThere) this.take();
    return isThere;
  }
}

/** Commands between bars, up to a closing parenthesis or the end. */
function parseUntil(reader: TokenReader, scope: Scope): Pipeline {
  if (scope.depth > MAX_DEPTH) throw templateError(`the template is nested more than ${MAX_DEPTH} levels deep`);
  const commands: [Command, ...Command[]] = [parseCommand(reader, scope)];
  while (reader.skips('|')) {
    const command = parseCommand(reader, scope);
    if ('operand' in command) throw templateError('behind | stands a function');
    commands.push(command);
  }
  return { commands };
}

function parseCommand(reader: TokenReader, scope: Scope): Command {
  if (reader.peek()?.kind !== 'name' || isBoolean(reader.peek())) {
    const operand = parseOperand(reader, scope);
    if (startsOperand(reader.peek())) throw templateError('only a function takes arguments');
    return { operand };
  }
  const name = reader.take()?.text ?? '';
  if (!FUNCTIONS.has(name)) {
    throw templateError(`function ${quote(name)} is not supported; there are ${[...FUNCTIONS.keys()].join(', ')}`);
  }
  const given: Operand[] = [];
  while (startsOperand(reader.peek())) given.push(parseArgument(reader, scope));
  return { name, arguments: given };
}

function parseArgument(reader: TokenReader, scope: Scope): Operand {
  const token = reader.peek();
  if (!token?.spaced && token?.text !== '(') throw unexpected(token);
  if (token?.kind !== 'name' || isBoolean(token)) return parseOperand(reader, scope);
  const call = parseCommand(new TokenReader([token]), scope); // a function without arguments, as an argument
  reader.take();
  return { from: { kind: 'pipeline', pipeline: { commands: [call] } }, fields: [] };
}

function startsOperand(token: Token | undefined): boolean {
  return token !== undefined && (token.kind !== 'sign' || token.text === '(');
}

function isBoolean(token: Token | undefined): boolean {
  return token?.text === 'true' || token?.text === 'false';
}

function parseOperand(reader: TokenReader, scope: Scope): Operand {
  const token = reader.take();
  const from = parseSource(token, reader, scope);
  const fields = token?.kind === 'field' ? [token.text.slice(1)] : [];
  while (reader.peek()?.kind === 'field' && !reader.peek()?.spaced) fields.push(reader.take()?.text.slice(1) ?? '');
  if (fields.length > 0 && from.kind === 'literal') throw templateError('a literal has no fields');
  return { from, fields };
}

function parseSource(token: Token | undefined, reader: TokenReader, scope: Scope): Operand['from'] {
  switch (token?.kind) {
    case 'field':
    case 'dot':
      return { kind: 'dot' };
    case 'variable':
      if (!scope.variables.has(token.text)) throw unknownVariable(token.text);
      return { kind: 'variable', name: token.text };
    case 'string':
    case 'number':
    case 'name':
      return { kind: 'literal', value: parseLiteral(token) };
    case 'sign': {
      if (token.text !== '(') throw unexpected(token);
      const pipeline = parseUntil(reader, { ...scope, depth: scope.depth + 1 });
      if (!reader.skips(')')) throw templateError('a parenthesis is not closed');
      return { kind: 'pipeline', pipeline };
    }
    case undefined:
      throw templateError('an action, an argument or a parenthesis is empty');
  }
}

function parseLiteral({ kind, text }: Token): Value {
  if (kind === 'name') return text === 'true';
  if (kind === 'number') return toInteger(text);
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text.replaceAll('\t', String.raw`\t`)) as string; // what Go and JSON have in common
  } catch (cause) {
    throw templateError(`the text ${quote(text)} is not understood`, { cause });
  }
}

function unknownVariable(name: string): Error {
  return templateError(`variable ${name} is not known here`);
}

function unexpected(token: Token | undefined): Error {
  return templateError(`${quote(token?.text ?? '')} is not understood here`);
}
