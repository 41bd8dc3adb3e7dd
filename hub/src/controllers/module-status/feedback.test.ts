import type { FeedbackValue, ManifestWork } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { clusterState } from './cluster-state.ts';

const lastTransitionTime = '2026-01-01T00:00:00Z';
const applied = { type: 'Applied', status: 'True' as const, reason: 'A', message: '', observedGeneration: 1 };

/** A work that was applied, with what the cluster feeds back of it. */
function workWith(values: FeedbackValue[]): ManifestWork {
  const resourceStatus = { manifests: [{ resourceMeta: { ordinal: 0 }, statusFeedback: { values } }] };
  return {
    metadata: { name: 'demo', namespace: 'c1', generation: 1 },
    spec: {},
    status: { conditions: [{ ...applied, lastTransitionTime }], resourceStatus },
  };
}
const integer = (name: string, value: number): FeedbackValue => ({
  name,
  fieldValue: { type: 'Integer', integer: value },
});
const text = (name: string, value: string): FeedbackValue => ({ name, fieldValue: { type: 'String', string: value } });

test.each([
  [-5, 0],
  [2 ** 60, 0],
  [10 ** 12, 100_000_000],
  [3, 3],
])('a cluster that feeds back %d nodes counts for %d: no number makes the status refused', (fedBack, counted) => {
  const values = ['desiredNumber', 'availableNumber'].map((name) => integer(`moduleLoader.${name}`, fedBack));
  const { nodesDesired, nodesAvailable } = clusterState({ reachable: true, work: workWith(values) });
  expect([nodesDesired, nodesAvailable]).toEqual([counted, counted]);
});

test.each([
  ['ModuleInUse', 'ModuleInUse'],
  ['no reason at all', 'SpokeProblem'],
  ['A'.repeat(129), 'SpokeProblem'],
])('a cluster that feeds back the reason %s is shown with %s: no text makes the status refused', (fedBack, shown) => {
  const work = workWith([text('degraded.reason', fedBack)]);
  expect(clusterState({ reachable: true, work })).toMatchObject({ state: 'Degraded', reason: shown });
});
