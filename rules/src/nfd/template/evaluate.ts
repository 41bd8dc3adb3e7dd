import { RuleError } from '../../rule-error.ts';
import { quote } from '../numbers.ts';
import { type Argument, FUNCTIONS } from './functions.ts';
import type { Command, Node, Operand, Pipeline } from './syntax.ts';
import {
  formatValue,
  isDict,
  isList,
  isTrue,
  kindOf,
  MAX_TEXT,
  sortedEntries,
  templateError,
  type Value,
} from './values.ts';

/** Steps and characters that one run may take: ranges within ranges multiply, and the text comes from users. */
const MAX_WORK = 2_000_000;

/** Runs a parsed template over its data; throws RuleError (WrongFeatureTemplate). */
export function runTemplate(nodes: readonly Node[], data: Value): string {
  const run = new Run();
  run.nodes(nodes, { dot: data, variables: new Map([['$', { value: data }]]) });
  return run.output();
}

/** What `.` and the variables are. Blocks copy the map, not its cells, so that `=` reaches the outer variable. */
type Scope = { dot: Value; variables: ReadonlyMap<string, { value: Value }> };
type Jump = 'break' | 'continue' | undefined;

class Run {
  readonly #written: string[] = [];
  #length = 0;
  #work = 0;

  output(): string {
    return this.#written.join('');
  }

  /** @returns what ended the nodes early */
  nodes(nodes: readonly Node[], outer: Scope): Jump {
    let scope = outer;
    for (const node of nodes) {
      this.#charge(1);
      if (node.kind === 'output') scope = this.#print(node.pipeline, scope);
      else {
        const jump = this.#node(node, scope);
        if (jump) return jump;
      }
    }
    return undefined;
  }

  #node(node: Exclude<Node, { kind: 'output' }>, scope: Scope): Jump {
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'range':
        return this.#range(node, scope);
      case 'if':
      case 'with':
        return this.#branch(node, scope);
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  #print(pipeline: Pipeline, scope: Scope): Scope {
    const value = this.#pipeline(pipeline, scope);
    if (pipeline.sets) return set(scope, pipeline.sets, value);
    this.#write(formatValue(value));
    return scope;
  }

  #branch(node: Extract<Node, { kind: 'if' | 'with' }>, outer: Scope): Jump {
    const value = this.#pipeline(node.pipeline, outer);
    const scope = node.pipeline.sets ? set(outer, node.pipeline.sets, value) : outer;
    if (!isTrue(value)) return this.nodes(node.otherwise, scope);
    return this.nodes(node.body, node.kind === 'with' ? { ...scope, dot: value } : scope);
  }

  #range(node: Extract<Node, { kind: 'range' }>, scope: Scope): Jump {
    const value = this.#pipeline(node.pipeline, scope);
    const elements = elementsOf(value);
    this.#charge(elements.length);
    if (elements.length === 0) return this.nodes(node.otherwise, scope);
    for (const [key, dot] of elements) {
      const variables = new Map(scope.variables);
      if (node.key !== undefined) variables.set(node.key, { value: key });
      if (node.item !== undefined) variables.set(node.item, { value: dot });
      if (this.nodes(node.body, { dot, variables }) === 'break') break;
    }
    return undefined;
  }

  #pipeline({ commands: [first, ...others] }: Pipeline, scope: Scope): Value {
    let value = this.#command(first, scope, []);
    for (const command of others) {
      const piped = value;
      value = this.#command(command, scope, [() => piped]);
    }
    return value;
  }

  #command(command: Command, scope: Scope, piped: readonly Argument[]): Value {
    if ('operand' in command) return this.#operand(command.operand, scope);
    const given = command.arguments.map((operand) => () => this.#operand(operand, scope));
    const value = this.#call(
      command.name,
      [...given, ...piped].map((argument) => () => this.#weigh(argument())),
    );
    return this.#weigh(value);
  }

  #call(name: string, given: readonly Argument[]): Value {
    const run = FUNCTIONS.get(name);
    if (run === undefined) throw templateError(`function ${quote(name)} is not supported`);
    try {
      return run(given);
    } catch (error) {
      if (error instanceof RuleError) throw templateError(`${name}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #operand({ from, fields }: Operand, scope: Scope): Value {
    this.#charge(1);
    return fields.reduce(fieldOf, this.#source(from, scope));
  }

  #source(from: Operand['from'], scope: Scope): Value {
    if (from.kind === 'dot') return scope.dot;
    if (from.kind === 'literal') return from.value;
    if (from.kind === 'pipeline') return this.#pipeline(from.pipeline, scope);
    const variable = scope.variables.get(from.name);
    if (variable === undefined) throw templateError(`variable ${from.name} is not known here`);
    return variable.value;
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_TEXT) throw templateError(`writes more than ${MAX_TEXT} characters`);
    this.#written.push(text);
  }

  /** What functions read and make counts by its size. */
  #weigh(value: Value): Value {
    if (typeof value === 'string' || isList(value)) this.#charge(value.length);
    return value;
  }

  #charge(work: number): void {
    this.#work += work;
    if (this.#work > MAX_WORK) throw templateError(`takes more than ${MAX_WORK} steps`);
  }
}

function set(scope: Scope, { name, isNew }: NonNullable<Pipeline['sets']>, value: Value): Scope {
  const cell = scope.variables.get(name);
  if (!isNew && cell) {
    cell.value = value;
    return scope;
  }
  return { ...scope, variables: new Map([...scope.variables, [name, { value }]]) };
}

function fieldOf(value: Value, field: string): Value {
  if (!isDict(value)) throw templateError(`${kindOf(value)} has no field ${quote(field)}`);
  const found = value.entries.get(field);
  if (found === undefined) throw templateError(`there is no ${quote(field)} among what matched`);
  return found;
}

function elementsOf(value: Value): (readonly [key: Value, element: Value])[] {
  if (isList(value)) return value.map((element, index) => [index, element]);
  if (isDict(value)) return sortedEntries(value);
  throw templateError(`range goes over a list or a map, not over ${kindOf(value)}`);
}
