import type { ManifestStatus, ManifestWork } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { IgnoreFieldsError, UnknownKindError } from '../../manifests/errors.ts';
import { type Observation, workStatus } from './status.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const later = new Date('2026-01-02T00:00:00.000Z');
const time = '2026-01-01T00:00:00Z';
const meta = (ordinal: number, name: string) => ({
  ordinal,
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  name,
  namespace: 't',
});
const live = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm1' }, data: { k: 'v' } };
const present = (ordinal: number, name: string, more: Partial<Observation> = {}): Observation => ({
  meta: meta(ordinal, name),
  applied: {},
  sighting: { seen: 'present', live },
  ...more,
});
const missing = { sighting: { seen: 'missing' as const } };
const failed = { applied: { failure: new UnknownKindError('test.io/v1', 'Widget') } };
const feedback = {
  config: {
    feedbackRules: [{ type: 'JSONPaths' as const, jsonPaths: [{ name: 'k', path: '.data.k' }] }],
    conditionRules: [],
  },
};
const work = (status?: ManifestWork['status'], generation = 1): ManifestWork => ({
  metadata: { name: 'w', generation },
  spec: {},
  ...(status && { status }),
});
const reasons = (conditions: ManifestStatus['conditions']) =>
  Object.fromEntries((conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]));

test('a work whose object is there says so for its generation', () => {
  const observed = { lastTransitionTime: time, observedGeneration: 1 };
  expect(workStatus(work(), [present(0, 'cm1')], now)).toEqual({
    conditions: [
      {
        type: 'Applied',
        status: 'True',
        reason: 'AppliedManifestWorkComplete',
        message: 'Apply manifest work complete',
        ...observed,
      },
      {
        type: 'Available',
        status: 'True',
        reason: 'ResourcesAvailable',
        message: 'All resources are available',
        ...observed,
      },
    ],
    resourceStatus: {
      manifests: [
        {
          resourceMeta: meta(0, 'cm1'),
          conditions: [
            {
              type: 'Applied',
              status: 'True',
              reason: 'AppliedManifestComplete',
              message: 'Apply manifest complete',
              ...observed,
            },
            {
              type: 'Available',
              status: 'True',
              reason: 'ResourceAvailable',
              message: 'Resource is available',
              ...observed,
            },
            {
              type: 'StatusFeedbackSynced',
              status: 'True',
              reason: 'NoStatusFeedbackSynced',
              message: '',
              ...observed,
            },
          ],
        },
      ],
    },
  });
});

test('the same pass again changes nothing, not even a time', () => {
  const rules = {
    config: { ...feedback.config, conditionRules: [{ condition: 'Progressing', type: 'CEL' as const }] },
  };
  const observations = [present(0, 'cm1', rules), present(1, 'cm2', { ...missing, ...failed })];
  const first = workStatus(work(), observations, now);
  expect(workStatus(work(first), observations, later)).toEqual(first);
});

test('one failed manifest fails the work, and says why in its own words', () => {
  const status = workStatus(work(), [present(0, 'cm1', { ...failed, ...missing }), present(1, 'cm2')], now);
  expect(reasons(status.conditions)).toEqual({
    Applied: 'False AppliedManifestWorkFailed',
    Available: 'False ResourcesNotAvailable',
  });
  expect(status.conditions?.[1]?.message).toBe('1 of 2 resources are not available');
  const [first, second] = status.resourceStatus?.manifests ?? [];
  expect(reasons(first?.conditions)).toEqual({
    Applied: 'False AppliedManifestFailed',
    Available: 'False ResourceNotAvailable',
  });
  expect(first?.conditions?.[0]?.message).toContain("the server doesn't have a resource type");
  expect(reasons(second?.conditions)).toMatchObject({ Applied: 'True AppliedManifestComplete' });
});

test('an unknown kind makes the availability of the work unknown', () => {
  const unresolved = present(0, 'w', { ...failed, sighting: { seen: 'unresolved' } });
  const status = workStatus(work(), [unresolved, present(1, 'cm1')], now);
  expect(reasons(status.conditions)).toMatchObject({ Available: 'Unknown ResourcesStatusUnknown' });
  expect(reasons(status.resourceStatus?.manifests?.[0]?.conditions)).toMatchObject({
    Available: 'Unknown IncompleteResourceMeta',
  });
});

describe('an object that went', () => {
  const before = workStatus(work(), [present(0, 'cm1', feedback)], now);
  const looked: Observation = { meta: meta(0, 'cm1'), ...missing, ...feedback };
  const after = workStatus(work(before), [looked], later);

  test('keeps the values it had', () => {
    expect(after.resourceStatus?.manifests?.[0]?.statusFeedback).toEqual({
      values: [{ name: 'k', fieldValue: { type: 'String', string: 'v' } }],
    });
  });

  test('is missed, and stays applied', () => {
    expect(reasons(after.conditions)).toEqual({
      Applied: 'True AppliedManifestWorkComplete',
      Available: 'False ResourcesNotAvailable',
    });
  });
});

test('values go with their rules', () => {
  const before = workStatus(work(), [present(0, 'cm1', feedback)], now);
  const after = workStatus(work(before), [present(0, 'cm1')], later);
  expect(after.resourceStatus?.manifests?.[0]).not.toHaveProperty('statusFeedback');
});

test('a manifest that moved up keeps its history; the entry of a removed one goes', () => {
  const before = workStatus(work(), [present(0, 'cm1'), present(1, 'cm2', { ...missing, ...feedback })], now);
  const after = workStatus(work(before), [present(0, 'cm2', { ...missing, ...feedback })], later);
  expect(after.resourceStatus?.manifests).toEqual([
    { ...before.resourceStatus?.manifests?.[1], resourceMeta: meta(0, 'cm2') },
  ]);
});

test('conditions of others stay', () => {
  const other = { type: 'Seen', status: 'True' as const, reason: 'X', message: '', lastTransitionTime: time };
  expect(workStatus(work({ conditions: [other] }), [present(0, 'cm1')], now).conditions).toContainEqual(other);
});

test('a work without manifests claims nothing', () => {
  expect(workStatus(work(), [], now).conditions).toEqual([]);
});

describe('a condition rule', () => {
  const ruled = (...conditions: string[]): Partial<Observation> => ({
    config: {
      feedbackRules: [],
      conditionRules: conditions.map((condition) => ({
        ...{ condition, type: 'CEL' as const, celExpressions: ['true'] },
      })),
    },
    judged: conditions.map((type) => ({ type, status: 'True', reason: 'ConditionRuleEvaluated', message: '' })),
  });
  const first = workStatus(work(), [present(0, 'cm1', ruled('Progressing'))], now);

  test('is judged for the manifest and summed up for the work', () => {
    expect(reasons(first.resourceStatus?.manifests?.[0]?.conditions)).toMatchObject({
      Progressing: 'True ConditionRuleEvaluated',
    });
    expect(reasons(first.conditions)).toMatchObject({ Progressing: 'True ConditionRulesAggregated' });
  });

  test('takes its conditions with it when it goes', () => {
    const after = workStatus(work(first, 2), [present(0, 'cm1')], later);
    expect(reasons(after.resourceStatus?.manifests?.[0]?.conditions)).not.toHaveProperty('Progressing');
    expect(reasons(after.conditions)).toEqual({
      Applied: 'True AppliedManifestWorkComplete',
      Available: 'True ResourcesAvailable',
    });
  });

  test('keeps its judgement while the object is not seen', () => {
    const looked: Observation = { meta: meta(0, 'cm1'), ...ruled('Progressing'), ...missing, judged: [] };
    const after = workStatus(work(first), [looked], later);
    expect(reasons(after.conditions)).toMatchObject({ Progressing: 'True ConditionRulesAggregated' });
  });

  test('never speaks over the conditions of the agent itself', () => {
    const told = workStatus(work(), [present(0, 'cm1', { ...missing, ...ruled('Available', 'Applied') })], now);
    expect(reasons(told.conditions)).toEqual({
      Applied: 'True AppliedManifestWorkComplete',
      Available: 'False ResourcesNotAvailable',
    });
  });
});

test('ignoreFields that cannot be read have a reason of their own', () => {
  const applied = { failure: new IgnoreFieldsError('jsonPointer x: no slash') };
  const [manifest] = workStatus(work(), [present(0, 'cm1', { applied })], now).resourceStatus?.manifests ?? [];
  expect(manifest?.conditions?.[0]).toMatchObject({
    reason: 'AppliedManifestSSAIgnoreFieldError',
    message: expect.stringMatching(/^Failed to process ignoreFields: jsonPointer x/),
  });
});

test('the time of Applied is new for each generation, and stays within one', () => {
  const first = workStatus(work(), [present(0, 'cm1')], now);
  const timeOf = (status: ReturnType<typeof workStatus>) =>
    status.resourceStatus?.manifests?.[0]?.conditions?.find(({ type }) => type === 'Applied')?.lastTransitionTime;
  expect(timeOf(workStatus(work(first), [present(0, 'cm1')], later))).toBe(timeOf(first));
  expect(timeOf(workStatus(work(first, 2), [present(0, 'cm1')], later))).not.toBe(timeOf(first));
});

test('a pass that only looked does not touch what the last one said of Applied', () => {
  const first = workStatus(work(), [present(0, 'cm1')], now);
  const looked: Observation = { meta: meta(0, 'cm1'), sighting: { seen: 'present', live } };
  const applied = workStatus(work(first, 2), [looked], later).conditions?.find(({ type }) => type === 'Applied');
  expect(applied?.observedGeneration).toBe(1);
});
