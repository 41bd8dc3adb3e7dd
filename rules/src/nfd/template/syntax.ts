import type { Value } from './values.ts';

/** A template as a tree; a strict part of Go's text/template. */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'output'; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; pipeline: Pipeline; key?: string; item?: string; body: Node[]; otherwise: Node[] }
  | { kind: 'break' | 'continue' };

/** `a | f b | g`. A variable that it sets prints nothing. */
export type Pipeline = {
  commands: [Command, ...Command[]];
  sets?: { name: string; isNew: boolean };
};

/** A function with its arguments, or one operand. */
export type Command = { name: string; arguments: Operand[] } | { operand: Operand };

/** What an operand starts from, and the fields that follow: `$device.vendor`, `(first .pci.device).class`. */
export type Operand = { from: Source; fields: string[] };
type Source =
  | { kind: 'dot' }
  | { kind: 'literal'; value: Value }
  | { kind: 'variable'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline };
