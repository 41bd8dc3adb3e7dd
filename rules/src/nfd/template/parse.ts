import { parsePipeline, type Scope } from './parse-pipeline.ts';
import type { Node } from './syntax.ts';
import { type Piece, splitTemplate, type Token } from './tokens.ts';
import { templateError } from './values.ts';

/** NFD v0.19's bound, in bytes. */
const MAX_BYTES = 65_536;

/**
 * Parses a template; throws RuleError (WrongFeatureTemplate). Understood: text, comments, `{{-` and `-}}`, pipelines,
 * variables, if, with, range, else (with if or with behind it), break, continue, and the functions of `functions.ts`;
 * not: define, template, block, and numbers other than integers.
 *
 * By hand: the template engines for JavaScript that read Go's language are neither maintained nor under a licence, and
 * none bounds its work, which a rule from a cluster's user must not escape.
 */
export function parseTemplate(template: string): Node[] {
  const bytes = Buffer.byteLength(template);
  if (bytes > MAX_BYTES) throw templateError(`the template has ${bytes} bytes, more than ${MAX_BYTES}`);
  const reader = { pieces: splitTemplate(template), position: 0 };
  const scope = { variables: new Set(['$']), depth: 0, isInRange: false };
  const { nodes, ending } = parseNodes(reader, scope);
  if (ending) throw templateError(`${ending[0]?.text} has nothing to end`);
  return nodes;
}

type Reader = { pieces: readonly Piece[]; position: number };
type BlockScope = Scope & { isInRange: boolean };
type Block = { nodes: Node[]; ending?: Token[] };

/** Nodes up to an `end` or `else`, which is handed back. */
function parseNodes(reader: Reader, scope: BlockScope): Block {
  const nodes: Node[] = [];
  for (let piece = next(reader); piece; piece = next(reader)) {
    if ('action' in piece) {
      const [first] = piece.action;
      const isEnding = first?.kind === 'name' && (first.text === 'end' || first.text === 'else');
      if (isEnding) return { nodes, ending: piece.action };
      nodes.push(parseAction(piece.action, { reader, scope }));
    } else if (piece.text) nodes.push({ kind: 'text', text: piece.text });
  }
  return { nodes };
}

function next(reader: Reader): Piece | undefined {
  reader.position += 1;
  return reader.pieces[reader.position - 1];
}

type Place = { reader: Reader; scope: BlockScope };
type ParseNode = (tokens: Token[], place: Place) => Node;

const KEYWORDS: ReadonlyMap<string, ParseNode> = new Map<string, ParseNode>([
  ['if', (tokens, place) => parseBranch('if', tokens, place)],
  ['with', (tokens, place) => parseBranch('with', tokens, place)],
  ['range', parseRange],
  ['break', (tokens, place) => parseJump('break', tokens, place)],
  ['continue', (tokens, place) => parseJump('continue', tokens, place)],
]);

function parseAction(tokens: Token[], place: Place): Node {
  const [first, ...rest] = tokens;
  const parseKeyword = first?.kind === 'name' && KEYWORDS.get(first.text);
  return parseKeyword ? parseKeyword(rest, place) : { kind: 'output', pipeline: parsePipeline(tokens, place.scope) };
}

function parseJump(kind: 'break' | 'continue', tokens: Token[], { scope }: Place): Node {
  if (!scope.isInRange || tokens.length > 0) throw templateError(`${kind} stands alone and within range`);
  return { kind };
}

function parseBranch(kind: 'if' | 'with', tokens: Token[], { reader, scope }: Place): Node {
  const inner = deeper(scope);
  const pipeline = parsePipeline(tokens, inner);
  return { kind, pipeline, ...parseBodies(kind, { reader, scope: inner }) };
}

/** `range p`, `range $item := p` or `range $key, $item := p`. */
function parseRange(tokens: Token[], { reader, scope }: Place): Node {
  const inner = deeper(scope);
  const declares = tokens[1]?.text === ',' ? 3 : 1;
  const names = tokens[declares]?.text === ':=' ? tokens.slice(0, declares).filter((_, index) => index !== 1) : [];
  if (names.some(({ kind }) => kind !== 'variable')) throw templateError('range sets what is no variable');
  const pipeline = parsePipeline(names.length > 0 ? tokens.slice(declares + 1) : tokens, inner);
  if (pipeline.sets) throw templateError('range sets its variables by := only');
  const [item, key] = names.map(({ text }) => text).reverse();
  for (const { text } of names) inner.variables.add(text);
  const bodies = parseBodies('range', { reader, scope: inner });
  return { kind: 'range', pipeline, ...bodies, ...(item !== undefined && { item }), ...(key !== undefined && { key }) };
}

/** The body and what stands behind `else`; `else if` and `else with` are a branch of their own there. */
function parseBodies(word: 'if' | 'with' | 'range', { reader, scope }: Place): { body: Node[]; otherwise: Node[] } {
  const isInRange = scope.isInRange || word === 'range';
  const { nodes: body, ending } = parseNodes(reader, { ...inside(scope), isInRange });
  if (ending === undefined) throw templateError(`${word} has no end`);
  const [end, condition] = ending;
  if (condition === undefined) {
    return { body, otherwise: end?.text === 'end' ? [] : parseElse({ reader, scope: inside(scope) }) };
  }
  if (end?.text === 'end' || condition.text !== word || word === 'range') {
    throw templateError(`${end?.text} ${condition.text} is not understood in ${word}`);
  }
  return { body, otherwise: [parseAction(ending.slice(1), { reader, scope })] };
}

function parseElse({ reader, scope }: Place): Node[] {
  const { nodes, ending } = parseNodes(reader, scope);
  if (ending?.length === 1 && ending[0]?.text === 'end') return nodes;
  throw templateError('else has no end');
}

/** Variables of a block end with it. */
function inside(scope: BlockScope): BlockScope {
  return { ...scope, variables: new Set(scope.variables) };
}

/** How deep is too deep is found by the pipeline that begins each block. */
function deeper(scope: BlockScope): BlockScope {
  return { ...inside(scope), depth: scope.depth + 1 };
}
