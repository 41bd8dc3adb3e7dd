import type { Condition, KubeObject } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { aggregatedConditions, type ConditionRule, evaluateRule } from './evaluate-rule.ts';

const widget = (status: object = {}) =>
  ({
    apiVersion: 'test.example/v1',
    kind: 'Widget',
    metadata: { name: 'w', labels: { 'a.b/c': 'x' } },
    status: { replicas: 3, ratio: 1.5, phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...status },
  }) as KubeObject;
const cel = (...celExpressions: string[]): ConditionRule => ({ condition: 'Progressing', type: 'CEL', celExpressions });
const evaluated = { type: 'Progressing', reason: 'ConditionRuleEvaluated' };
const yes = { ...evaluated, status: 'True', message: 'Manifest is Progressing' };
const no = { ...evaluated, status: 'False', message: 'Manifest is not Progressing' };

describe('a CEL rule', () => {
  test.each([
    ['compares whole numbers', 'object.status.replicas == 3 && object.status.replicas / 2 == 1', yes],
    ['compares fractions', 'object.status.ratio > 1.0', yes],
    ['looks into conditions', 'object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")', yes],
    ['reads keys with dots', 'object.metadata.labels["a.b/c"] == "x"', yes],
    ['asks whether a field is there', 'has(object.status.nothing)', no],
    ['knows hasConditions', 'hasConditions(object.status)', yes],
    ['takes an object without conditions for one', 'hasConditions(object.metadata)', no],
    ['has the string functions', 'object.status.phase.lowerAscii() == "running"', yes],
  ])('%s', async (_what, expression, verdict) => {
    expect(await evaluateRule(widget(), cel(expression))).toEqual(verdict);
  });

  test('holds only when all its expressions do', async () => {
    expect(await evaluateRule(widget(), cel('true', 'object.status.replicas == 4'))).toEqual(no);
    expect(await evaluateRule(widget(), cel('true', 'object.status.replicas == 3'))).toEqual(yes);
  });

  test.each([
    ['a field that is not there', 'object.status.nothing == 1', 'nothing'],
    ['what is no expression', 'object.status.(', 'object.status.('],
    ['a result that is no boolean', 'object.status.replicas', 'the result is no boolean'],
    ['JavaScript behind the object', 'object.constructor == null', 'constructor'],
  ])('is False for %s, and says why', async (_what, expression, words) => {
    expect(await evaluateRule(widget(), cel(expression))).toEqual({
      ...{ type: 'Progressing', status: 'False', reason: 'ConditionRuleExpressionError' },
      message: expect.stringContaining(words),
    });
  });

  test('matches regular expressions in linear time', async () => {
    const text = `${'a'.repeat(40)}!`;
    expect(await evaluateRule(widget({ text }), cel('object.status.text.matches("(a+)+$")'))).toEqual(no);
  });

  test('without expressions judges nothing', async () => {
    expect(await evaluateRule(widget(), cel())).toMatchObject({ status: 'Unknown', reason: 'ConditionRuleInvalid' });
  });
});

describe('the message of a rule', () => {
  const message = async (more: Partial<ConditionRule>) =>
    (await evaluateRule(widget(), { ...cel('object.status.replicas == 3'), ...more }))?.message;

  test('is the one it is given', async () => {
    expect(await message({ message: 'three' })).toBe('three');
  });
  test('is made by its expression, which knows the result', async () => {
    expect(await message({ messageExpression: '(result ? "all " : "not ") + string(object.status.replicas)' })).toBe(
      'all 3',
    );
  });
  test('is the failure of its expression, which does not change the judgement', async () => {
    const rule = { ...cel('true'), messageExpression: 'object.nothing' };
    expect(await evaluateRule(widget(), rule)).toEqual({
      ...evaluated,
      status: 'True',
      message: expect.stringContaining('nothing'),
    });
  });
});

describe('a well-known rule', () => {
  const rule: ConditionRule = { condition: 'Complete', type: 'WellKnownConditions' };
  const object = (apiVersion: string, kind: string, status: object) =>
    ({ apiVersion, kind, metadata: { name: 'x' }, status }) as KubeObject;
  const complete = (status: string, message: string) => ({
    type: 'Complete',
    reason: 'ConditionRuleEvaluated',
    status,
    message,
  });

  test.each([
    [
      'a Job that failed',
      object('batch/v1', 'Job', { conditions: [{ type: 'Failed', status: 'True' }] }),
      complete('True', 'Job is finished'),
    ],
    ['a Job that runs', object('batch/v1', 'Job', {}), complete('False', 'Job is not finished')],
    [
      'a Pod that is through',
      object('v1', 'Pod', { phase: 'Succeeded' }),
      complete('True', 'Pod is in phase Succeeded'),
    ],
    ['a Pod that runs', object('v1', 'Pod', { phase: 'Running' }), complete('False', 'Pod is in phase Running')],
    ['any other kind', object('apps/v1', 'Deployment', {}), undefined],
  ])('judges %s', async (_what, given, verdict) => {
    expect(await evaluateRule(given, rule)).toEqual(verdict);
  });

  test('knows no other condition than Complete', async () => {
    expect(
      await evaluateRule(object('v1', 'Pod', { phase: 'Failed' }), { ...rule, condition: 'Degraded' }),
    ).toBeUndefined();
  });
});

describe('the sum over the manifests', () => {
  const told = (type: string, status: Condition['status'], reason = 'ConditionRuleEvaluated'): Condition => ({
    ...{ type, status, reason, message: `${type} ${status}`, lastTransitionTime: '' },
  });
  const sum = (type: string, ...statuses: Condition['status'][]) =>
    aggregatedConditions(statuses.map((status) => [told(type, status)])).map(({ status }) => status);

  test.each<[string, Condition['status'][], Condition['status']]>([
    ['Complete', ['True', 'Unknown', 'False'], 'False'],
    ['Complete', ['True', 'Unknown'], 'Unknown'],
    ['Complete', ['True', 'True'], 'True'],
    ['Progressing', ['False', 'Unknown', 'True'], 'True'],
    ['Progressing', ['False', 'Unknown'], 'Unknown'],
    ['Progressing', ['False', 'False'], 'False'],
  ])('%s of %j is %s', (type, statuses, status) => {
    expect(sum(type, ...statuses)).toEqual([status]);
  });

  test('has the words of a single manifest, else the number of manifests', () => {
    expect(aggregatedConditions([[told('Ready', 'True')]])[0]?.message).toBe('Ready True');
    const two = aggregatedConditions([[told('Ready', 'True')], [told('Ready', 'True')]]);
    expect(two).toEqual([
      {
        ...{ type: 'Ready', status: 'True', reason: 'ConditionRulesAggregated' },
        message: 'Aggregated from 2 manifest conditions',
      },
    ]);
  });

  test('leaves out what no rule made', () => {
    expect(aggregatedConditions([[told('Applied', 'True', 'AppliedManifestComplete')], undefined])).toEqual([]);
  });
});
