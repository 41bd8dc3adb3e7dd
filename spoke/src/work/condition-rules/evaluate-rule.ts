import { type Condition, explain, HubError, type KubeObject, type ManifestConfig } from '@kmm-hub/api-types';
import type { ConditionUpdate } from '@kmm-hub/kube';
import { CelError } from './cel-error.ts';
import { wellKnownCondition } from './well-known-conditions.ts';

export type ConditionRule = NonNullable<ManifestConfig['conditionRules']>[number];

/** Of every condition that a rule made: how it is told from the agent's own ones. */
export const RULE_REASON_PREFIX = 'ConditionRule';

type Evaluate = (expression: string, bindings: Record<string, unknown>) => unknown;

/** What the rules of a manifest say of its live object. */
export async function judgeRules(object: KubeObject, rules: readonly ConditionRule[]): Promise<ConditionUpdate[]> {
  const judged = await Promise.all(rules.map((rule) => evaluateRule(object, rule)));
  return judged.filter((condition) => condition !== undefined);
}

/**
 * What a rule says of a live object. All its expressions must hold; one that fails counts as False, also for a condition that
 * is bad news when True (OCM). `undefined` for WellKnownConditions of a kind that nobody has agreed on.
 */
export async function evaluateRule(object: KubeObject, rule: ConditionRule): Promise<ConditionUpdate | undefined> {
  const type = rule.condition;
  if (rule.type === 'WellKnownConditions') {
    const known = wellKnownCondition(object, type);
    return known && { type, ...known, reason: 'ConditionRuleEvaluated' };
  }
  if ((rule.celExpressions ?? []).length === 0) {
    return { type, status: 'Unknown', reason: 'ConditionRuleInvalid', message: 'The rule has no expression.' };
  }
  const { evaluateCel } = await import('./cel.ts'); // only now: 50 MB that most agents never need
  return evaluateExpressions(evaluateCel, object, rule);
}

function evaluateExpressions(evaluate: Evaluate, object: KubeObject, rule: ConditionRule): ConditionUpdate {
  const type = rule.condition;
  try {
    const result = (rule.celExpressions ?? []).every((expression) => {
      const value = evaluate(expression, { object });
      if (typeof value !== 'boolean') throw new CelError(`expression ${expression}: the result is no boolean`);
      return value;
    });
    const message = messageOf(rule, result, (expression) => evaluate(expression, { object, result }));
    return { type, status: result ? 'True' : 'False', reason: 'ConditionRuleEvaluated', message };
  } catch (err) {
    if (!(err instanceof HubError)) throw err;
    return { type, status: 'False', reason: 'ConditionRuleExpressionError', message: explain(err) };
  }
}

/** A message expression that fails tells its failure: the judgement stands. */
function messageOf(rule: ConditionRule, result: boolean, evaluate: (expression: string) => unknown): string {
  const words = rule.message || `Manifest is ${result ? '' : 'not '}${rule.condition}`;
  if (!rule.messageExpression) return words;
  try {
    const value = evaluate(rule.messageExpression);
    if (typeof value !== 'string') throw new CelError(`expression ${rule.messageExpression}: the result is no string`);
    return value || words;
  } catch (err) {
    if (!(err instanceof HubError)) throw err;
    return explain(err);
  }
}

/** The conditions of all manifests that rules made, summed up by type for the work itself. */
export function aggregatedConditions(manifests: readonly (readonly Condition[] | undefined)[]): ConditionUpdate[] {
  const byType = Map.groupBy(
    manifests.flatMap((conditions) => conditions ?? []).filter(({ reason }) => reason.startsWith(RULE_REASON_PREFIX)),
    ({ type }) => type,
  );
  return [...byType].map(([type, conditions]) => {
    const [first] = conditions;
    const message =
      conditions.length === 1 && first?.message
        ? first.message
        : `Aggregated from ${conditions.length} manifest conditions`;
    return { type, status: worstOf(type, conditions), reason: AGGREGATED_REASON, message };
  });
}

export const AGGREGATED_REASON = 'ConditionRulesAggregated';

/** The work progresses as long as one manifest does; everything else it has only when all have it. */
function worstOf(type: string, conditions: readonly Condition[]): Condition['status'] {
  const ranked = type === 'Progressing' ? (['True', 'Unknown'] as const) : (['False', 'Unknown'] as const);
  const worst = ranked.find((status) => conditions.some((condition) => condition.status === status));
  return worst ?? (type === 'Progressing' ? 'False' : 'True');
}
