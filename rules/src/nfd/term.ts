import type { Features } from '@kmm-hub/api-types';
import { accepted, type RuleError, type RuleResult, refused } from '../rule-error.ts';
import { evaluateExpression, type Subject } from './expression.ts';
import type { FeatureTerm, MatchExpression } from './feature-rule.ts';
import { quote } from './numbers.ts';

/** What templates see of an element: `{Name}` of a flag, `{Name, Value}` of an attribute, all attributes of an instance. */
export type MatchedElement = Readonly<Record<string, string>>;

export type TermMatch = { matched: boolean; elements: readonly MatchedElement[] };

const NO_MATCH: TermMatch = { matched: false, elements: [] };
const UNASKED: TermMatch = { matched: true, elements: [] };

/** The sets of one name; a type that has none is `undefined`, which is not the same as an empty one. */
type FeatureSets = {
  flags: Readonly<Record<string, object>> | undefined;
  attributes: Readonly<Record<string, string>> | undefined;
  instances: readonly MatchedElement[] | undefined;
};

type Expressions = readonly (readonly [name: string, expression: MatchExpression])[];

/**
 * Whether a term matches, and with which elements (NFD v0.19 §5.2). A set that is there in none of the three types
 * fails, whatever is asked of it (T12). Flags and attributes are one pool; instances are asked one by one; one of both
 * ways is enough. Both expressions must match where both are given. Names of sets are compared in lower case.
 *
 * Errors: those of `evaluateExpression`, with the element's name. Where Go's random order of maps leaves upstream's
 * answer to chance, an expression that does not hold decides, and an error beside it is not looked at.
 */
export function matchTerm(term: FeatureTerm, features: Features): RuleResult<TermMatch> {
  const sets = findSets(features, term.feature.toLowerCase());
  if (!Object.values(sets).some((set) => set !== undefined)) return accepted(NO_MATCH);
  const byValue = term.matchExpressions ? matchValues(sets, term.matchExpressions) : accepted(UNASKED);
  if (!byValue.ok || !byValue.value.matched) return byValue;
  const byName = term.matchName ? matchNames(sets, term.matchName) : accepted(UNASKED);
  if (!byName.ok || !byName.value.matched) return byName;
  return accepted({ matched: true, elements: [...byValue.value.elements, ...byName.value.elements] });
}

function findSets(features: Features, name: string): FeatureSets {
  return {
    flags: own(features.flags, name)?.elements,
    attributes: own(features.attributes, name)?.elements,
    instances: own(features.instances, name)?.elements.map(({ attributes }) => attributes),
  };
}

/** Own keys only: a feature may be called "constructor". */
function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

function matchValues(sets: FeatureSets, asked: Readonly<Record<string, MatchExpression>>): RuleResult<TermMatch> {
  const expressions = Object.entries(asked).sort(byFirst);
  const hasPool = sets.flags !== undefined || sets.attributes !== undefined;
  const judge: Judge = (name, expression) => matchInPool(sets, name, expression);
  const pool = hasPool ? matchAll(expressions, judge) : accepted(NO_MATCH);
  if (!pool.ok) return pool;
  const instances = matchInstances(sets.instances ?? [], expressions);
  if (!instances.ok) return instances;
  return accepted({
    matched: pool.value.matched || instances.value.length > 0,
    elements: [...pool.value.elements, ...instances.value],
  });
}

type Judge = (name: string, expression: MatchExpression) => RuleResult<TermMatch>;

/** Every expression must hold; their elements in order of the names. */
function matchAll(expressions: Expressions, judge: Judge): RuleResult<TermMatch> {
  const elements: MatchedElement[] = [];
  let failure: RuleResult<never> | undefined;
  for (const [name, expression] of expressions) {
    const judged = judge(name, expression);
    if (judged.ok && !judged.value.matched) return judged;
    if (judged.ok) elements.push(...judged.value.elements);
    else failure ??= ofElement(name, judged.error);
  }
  return failure ?? accepted({ matched: true, elements });
}

function ofElement(name: string, error: RuleError): RuleResult<never> {
  return refused(error.code, `element ${quote(name)}: ${error.message}`, { cause: error });
}

/** A flag or an attribute is enough, but what does not exist must be missing in both. */
function matchInPool(sets: FeatureSets, name: string, expression: MatchExpression): RuleResult<TermMatch> {
  const subjects = subjectsInPool(sets, name);
  const elements: MatchedElement[] = [];
  for (const [subject, element] of subjects) {
    const holds = evaluateExpression(expression, subject);
    if (!holds.ok) return holds;
    if (holds.value) elements.push(element);
  }
  const needed = expression.op === 'DoesNotExist' ? subjects.length : 1;
  return accepted(elements.length >= needed ? { matched: true, elements } : NO_MATCH);
}

function subjectsInPool({ flags, attributes }: FeatureSets, name: string): [Subject, MatchedElement][] {
  const subjects: [Subject, MatchedElement][] = [];
  if (flags) subjects.push([{ exists: Object.hasOwn(flags, name) }, { Name: name }]);
  if (attributes) subjects.push([attributeOf(attributes, name), { Name: name, Value: own(attributes, name) ?? '' }]);
  return subjects;
}

/** The instances for which all expressions hold. An error with one of them is an error for all, as upstream (G113). */
function matchInstances(
  instances: readonly MatchedElement[],
  expressions: Expressions,
): RuleResult<readonly MatchedElement[]> {
  const matching: MatchedElement[] = [];
  for (const instance of instances) {
    const all = matchAll(expressions, (name, expression) => {
      const holds = evaluateExpression(expression, attributeOf(instance, name));
      return holds.ok ? accepted({ matched: holds.value, elements: [] }) : holds;
    });
    if (!all.ok) return all;
    if (all.value.matched) matching.push(instance);
  }
  return accepted(matching);
}

function attributeOf(attributes: Readonly<Record<string, string>>, name: string): Subject {
  const value = own(attributes, name);
  return value === undefined ? { exists: false } : { exists: true, value };
}

/** Asks each name as if it were a value, so that DoesNotExist never holds; an instance by the names of its attributes. */
function matchNames(
  { flags = {}, attributes = {}, instances = [] }: FeatureSets,
  expression: MatchExpression,
): RuleResult<TermMatch> {
  const pool: [name: string, element: MatchedElement][] = [
    ...Object.keys(flags).map((Name): [string, MatchedElement] => [Name, { Name }]),
    ...Object.entries(attributes).map(([Name, Value]): [string, MatchedElement] => [Name, { Name, Value }]),
  ];
  const named: [names: string[], element: MatchedElement][] = [
    ...pool.sort(byFirst).map(([name, element]): [string[], MatchedElement] => [[name], element]),
    ...instances.map((instance): [string[], MatchedElement] => [Object.keys(instance), instance]),
  ];
  const elements: MatchedElement[] = [];
  for (const [names, element] of named) {
    const isNamed = isAnyNamed(names, expression);
    if (!isNamed.ok)
      return refused(isNamed.error.code, `matchName: ${isNamed.error.message}`, { cause: isNamed.error });
    if (isNamed.value) elements.push(element);
  }
  return accepted({ matched: elements.length > 0, elements });
}

function isAnyNamed(names: readonly string[], expression: MatchExpression): RuleResult<boolean> {
  let found = false;
  for (const value of names) {
    const holds = evaluateExpression(expression, { exists: true, value });
    if (!holds.ok) return holds;
    found ||= holds.value;
  }
  return accepted(found);
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
