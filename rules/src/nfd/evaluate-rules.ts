import type { Features, Taint } from '@kmm-hub/api-types';
import { accepted, RuleError, type RuleResult } from '../rule-error.ts';
import { evaluateRule, type RuleMatch } from './evaluate-rule.ts';
import type { FeatureRule } from './feature-rule.ts';
import { quote } from './numbers.ts';
import { checkAnnotation, checkExtendedResource, checkLabel, checkTaint, resolveDynamicValue } from './outputs.ts';

/** What rules make of a node's features. Names are as the rules write them, mostly without a prefix. */
export type RuleOutcome = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
  extendedResources: Record<string, string>;
  vars: Record<string, string>;
  /** Names of the rules that matched, in order; a NodeFeatureGroup takes the node if there is one. */
  matched: string[];
  /** Why a rule was skipped, or an output dropped; each message begins with the rule. */
  errors: RuleError[];
};

/** The attribute set in which later rules find labels and vars of earlier ones, by their names as written. */
const BACK_REFERENCES = 'rule.matched';

/**
 * Evaluates rules in order (NFD v0.19 §5), each against the features and what the rules before it gave. Pure, never
 * throws, and linear in rules × features; templates have a bound of their own.
 *
 * A rule that cannot be evaluated gives nothing, and an output that Kubernetes would refuse is dropped; both are
 * reported, and the rest goes on. Of two rules that give one name the later wins, and its name then stands last. The
 * default prefix, and which prefixes are allowed, are the caller's to apply (NFD v0.19 §6.4), in the order of names.
 *
 * `dynamicValues: 'refuse'` is for rules of a worker's configuration, where `@feature` is not a value (T10).
 */
export function evaluateRules(
  rules: readonly FeatureRule[],
  features: Features,
  { dynamicValues = 'resolve' }: { dynamicValues?: 'resolve' | 'refuse' } = {},
): RuleOutcome {
  const { matches, errors, known } = evaluateInOrder(rules, features);
  const resolve = (value: string) =>
    dynamicValues === 'resolve' ? resolveDynamicValue(value, known) : accepted(value);
  const dropped: RuleError[] = [];
  const keep = (outputs: readonly Output[], check: Check) => keepOutputs(outputs, check, dropped);
  return {
    labels: keep(
      matches.flatMap(({ rule, labels }) => outputsOf(rule, 'label', labels)),
      (name, value) => then(resolve(value), (resolved) => checkLabel(name, resolved)),
    ),
    annotations: keep(
      matches.flatMap(({ rule }) => outputsOf(rule, 'annotation', rule.annotations)),
      checkAnnotation,
    ),
    extendedResources: keep(
      matches.flatMap(({ rule }) => outputsOf(rule, 'extended resource', rule.extendedResources)),
      (name, value) => then(resolve(value), (resolved) => checkExtendedResource(name, resolved)),
    ),
    taints: matches.flatMap(({ rule }) => keepTaints(rule, dropped)),
    vars: Object.fromEntries(matches.flatMap(({ vars }) => Object.entries(vars))),
    matched: matches.map(({ rule }) => rule.name),
    errors: [...errors, ...dropped],
  };
}

/** `known`: the features with the back references of all rules. */
function evaluateInOrder(rules: readonly FeatureRule[], features: Features) {
  const matches: RuleMatch[] = [];
  const errors: RuleError[] = [];
  // Without a prototype, so that a label "__proto__" is a key like any other.
  const backReferences: Record<string, string> = Object.create(null);
  Object.assign(backReferences, features.attributes?.[BACK_REFERENCES]?.elements);
  let known = features;
  for (const rule of rules) {
    const match = evaluateRule(rule, known);
    if (!match.ok) {
      errors.push(ofRule(rule, match.error));
      continue;
    }
    Object.assign(backReferences, match.value?.labels, match.value?.vars);
    if (match.value) matches.push(match.value);
    // The set is there from the first rule on that is no error, be it empty: DoesNotExist needs it (T12).
    if (known === features) {
      known = { ...features, attributes: { ...features.attributes, [BACK_REFERENCES]: { elements: backReferences } } };
    }
  }
  return { matches, errors, known };
}

type Output = { rule: FeatureRule; kind: string; name: string; value: string };
type Check = (name: string, value: string) => RuleResult<string>;

function outputsOf(rule: FeatureRule, kind: string, values: Readonly<Record<string, string>> = {}): Output[] {
  return Object.entries(values).map(([name, value]) => ({ rule, kind, name, value }));
}

/** The last of each name, if it is right: a wrong one does not bring back the one that it replaced. */
function keepOutputs(outputs: readonly Output[], check: Check, dropped: RuleError[]): Record<string, string> {
  const latest = new Map<string, Output>();
  for (const output of outputs) {
    latest.delete(output.name); // to stand last
    latest.set(output.name, output);
  }
  const kept: [name: string, value: string][] = [];
  for (const { rule, kind, name, value } of latest.values()) {
    const checked = check(name, value);
    if (checked.ok) kept.push([name, checked.value]);
    else dropped.push(ofRule(rule, checked.error, `${kind} ${quote(name)}: `));
  }
  return Object.fromEntries(kept);
}

function keepTaints(rule: FeatureRule, dropped: RuleError[]): Taint[] {
  return (rule.taints ?? []).filter((taint) => {
    const checked = checkTaint(taint);
    if (!checked.ok) dropped.push(ofRule(rule, checked.error, `taint ${quote(taint.key)}: `));
    return checked.ok;
  });
}

function then<T, U>(result: RuleResult<T>, next: (value: T) => RuleResult<U>): RuleResult<U> {
  return result.ok ? next(result.value) : result;
}

function ofRule({ name }: FeatureRule, error: RuleError, place = ''): RuleError {
  return new RuleError(error.code, `rule ${quote(name)}: ${place}${error.message}`, { cause: error });
}
