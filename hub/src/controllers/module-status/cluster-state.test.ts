import type { Condition, FeedbackValue, ManifestWork } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { type ClusterView, clusterState } from './cluster-state.ts';

const conditionWith = (type: string, status: Condition['status'], overrides: Partial<Condition> = {}): Condition => ({
  ...{ type, status, reason: 'R', message: `${type} is ${status}`, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ...overrides,
});

type Fed = Record<string, number | string>;
const feedbackOf = ([name, value]: [string, number | string]): FeedbackValue => ({
  name,
  fieldValue: typeof value === 'number' ? { type: 'Integer', integer: value } : { type: 'String', string: value },
});
const loaded: Fed = {
  'moduleLoader.desiredNumber': 3,
  'moduleLoader.availableNumber': 3,
  generation: 4,
  observedGeneration: 4,
};

type WorkParts = { fed?: Fed; applied?: Condition; manifest?: Condition[]; name?: string };
const isApplied = conditionWith('Applied', 'True', { observedGeneration: 2 });
/** A work of generation 2 that its agent applied; `fed` is what the Module's status says. */
function workWith({ fed = {}, applied = isApplied, manifest = [], name = 'c1' }: WorkParts = {}): ManifestWork {
  const resourceMeta = { ordinal: 0 };
  const values = Object.entries(fed).map(feedbackOf);
  return {
    metadata: { name: 'nic', namespace: name, generation: 2 },
    spec: {},
    status: {
      conditions: [applied],
      resourceStatus: { manifests: [{ resourceMeta, conditions: manifest, statusFeedback: { values } }] },
    },
  };
}
const view = (overrides: Partial<ClusterView> = {}): ClusterView => ({ reachable: true, ...overrides });
const nodes = (available: number, desired: number) => ({ nodesAvailable: available, nodesDesired: desired });

test.each<[string, ClusterView, ReturnType<typeof clusterState>]>([
  [
    'what a person must mend comes first',
    view({ waiting: { reason: 'BuildFailed', message: 'm', pending: false }, work: workWith({ fed: loaded }) }),
    { state: 'Degraded', reason: 'BuildFailed', message: 'm', ...nodes(3, 3) },
  ],
  [
    'a pending image is progress',
    view({ waiting: { reason: 'ImagesPending', message: 'm', pending: true } }),
    { state: 'Progressing', reason: 'ImagesPending', message: 'm', ...nodes(0, 0) },
  ],
  [
    'a work that is to be written is progress',
    view(),
    { state: 'Progressing', reason: 'WorkPending', message: 'the work is not written yet', ...nodes(0, 0) },
  ],
  [
    'an unreachable cluster keeps its modules, and is no failure',
    view({ reachable: false, work: workWith({ fed: loaded }) }),
    {
      state: 'Progressing',
      reason: 'ClusterUnreachable',
      message: 'the hub has not heard of it; its modules stay',
      ...nodes(3, 3),
    },
  ],
  [
    'a refused work says what the spoke said of the manifest',
    view({
      work: workWith({
        applied: conditionWith('Applied', 'False'),
        manifest: [conditionWith('Applied', 'False', { message: 'no such namespace' })],
      }),
    }),
    { state: 'Degraded', reason: 'WorkNotApplied', message: 'no such namespace', ...nodes(0, 0) },
  ],
  [
    'a refused work without words of the manifest says what it has',
    view({ work: workWith({ applied: conditionWith('Applied', 'False') }) }),
    { state: 'Degraded', reason: 'WorkNotApplied', message: 'Applied is False', ...nodes(0, 0) },
  ],
  [
    'a work whose last change was not applied yet is progress, whatever the numbers',
    view({ work: workWith({ fed: loaded, applied: conditionWith('Applied', 'True', { observedGeneration: 1 }) }) }),
    {
      state: 'Progressing',
      reason: 'WorkApplying',
      message: 'the cluster has not taken over the last change yet',
      ...nodes(3, 3),
    },
  ],
  [
    'numbers of an older Module do not count',
    view({ work: workWith({ fed: { ...loaded, observedGeneration: 3 } }) }),
    {
      state: 'Progressing',
      reason: 'WorkApplying',
      message: 'the cluster has not taken over the last change yet',
      ...nodes(3, 3),
    },
  ],
  [
    'a problem of the spoke is told in its words',
    view({
      work: workWith({ fed: { ...loaded, 'degraded.reason': 'LoadFailed', 'degraded.message': 'Key was rejected' } }),
    }),
    { state: 'Degraded', reason: 'LoadFailed', message: 'Key was rejected', ...nodes(3, 3) },
  ],
  [
    'nodes that do not have the module yet are progress',
    view({ work: workWith({ fed: { ...loaded, 'moduleLoader.availableNumber': 1 } }) }),
    { state: 'Progressing', reason: 'NodesLoading', message: '1 of 3 nodes has the module', ...nodes(1, 3) },
  ],
  [
    'a cluster is available once every node has it',
    view({ work: workWith({ fed: loaded }) }),
    { state: 'Available', reason: 'Loaded', message: '3 of 3 nodes have the module', ...nodes(3, 3) },
  ],
  [
    'a cluster of one node is told of in the singular',
    view({ work: workWith({ fed: { 'moduleLoader.desiredNumber': 1, 'moduleLoader.availableNumber': 1 } }) }),
    { state: 'Available', reason: 'Loaded', message: '1 of 1 node has the module', ...nodes(1, 1) },
  ],
  [
    'upstream spokes feed no generations back: their numbers count',
    view({ work: workWith({ fed: { 'moduleLoader.desiredNumber': 2, 'moduleLoader.availableNumber': 2 } }) }),
    { state: 'Available', reason: 'Loaded', message: '2 of 2 nodes have the module', ...nodes(2, 2) },
  ],
])('%s', (_rule, given, want) => {
  expect(clusterState(given)).toEqual(want);
});
