import type { Condition, FeedbackValue, ManifestWork } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { moduleWith } from '../../test-objects.fixture.ts';
import { type ClusterView, clusterState, planStatus } from './plan.ts';

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
const view = (overrides: Partial<ClusterView> = {}): ClusterView => ({ name: 'c1', reachable: true, ...overrides });
const nodes = (available: number, desired: number) => ({ nodesAvailable: available, nodesDesired: desired });

describe('where one cluster stands', () => {
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
      { state: 'Progressing', reason: 'NodesLoading', message: '1 of 3 nodes have the module', ...nodes(1, 3) },
    ],
    [
      'a cluster is available once every node has it',
      view({ work: workWith({ fed: loaded }) }),
      { state: 'Available', reason: 'Loaded', message: '3 of 3 nodes have the module', ...nodes(3, 3) },
    ],
    [
      'upstream spokes feed no generations back: their numbers count',
      view({ work: workWith({ fed: { 'moduleLoader.desiredNumber': 2, 'moduleLoader.availableNumber': 2 } }) }),
      { state: 'Available', reason: 'Loaded', message: '2 of 2 nodes have the module', ...nodes(2, 2) },
    ],
  ])('%s', (_rule, given, want) => {
    expect(clusterState(given)).toEqual(want);
  });
});

describe('the status of a module', () => {
  const good = view({ name: 'good', work: workWith({ fed: loaded, name: 'good' }) });
  const slow = view({ name: 'slow', waiting: { reason: 'ImagesPending', message: 'soon', pending: true } });
  const bad = view({ name: 'worse', waiting: { reason: 'BuildFailed', message: 'mend it', pending: false } });
  const plan = (clusters: ClusterView[], works: ManifestWork[] = [], module = moduleWith()) =>
    planStatus(module, clusters, works);
  const reasons = ({ conditions }: ReturnType<typeof plan>) =>
    conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

  test('sums its clusters up, those that need a person first', () => {
    const works = [
      good.work as ManifestWork,
      workWith({ applied: conditionWith('Applied', 'False'), name: 'leaving' }),
    ];
    expect(plan([good, slow, bad], works)).toEqual({
      status: {
        ...{ numberDesired: 2, numberApplied: 1, numberDegraded: 1, numberSelected: 3, numberAvailable: 1 },
        ...{ nodesDesired: 3, nodesAvailable: 3, observedGeneration: 1 },
        worstClusters: [
          { name: 'worse', reason: 'BuildFailed', message: 'mend it' },
          { name: 'slow', reason: 'ImagesPending', message: 'soon' },
        ],
      },
      conditions: [
        {
          ...{ type: 'Available', status: 'False', reason: 'BuildFailed', observedGeneration: 1 },
          message: '2 of 3 clusters are not there yet; first worse: mend it',
        },
        {
          ...{ type: 'Degraded', status: 'True', reason: 'BuildFailed', observedGeneration: 1 },
          message: '1 of 3 clusters need a person; first worse: mend it',
        },
      ],
    });
  });

  test.each<[string, ReturnType<typeof plan>, string[]]>([
    ['is available when every cluster is', plan([good]), ['Available=True Loaded', 'Degraded=False AsExpected']],
    [
      'waits without being degraded',
      plan([good, slow]),
      ['Available=False ImagesPending', 'Degraded=False AsExpected'],
    ],
    ['says that no cluster is selected (W7)', plan([]), ['Available=False NoClusters', 'Degraded=False AsExpected']],
  ])('%s', (_rule, planned, want) => {
    expect(reasons(planned)).toEqual(want);
  });

  test('says that placementRefs are not evaluated, rather than that nothing matches', () => {
    const module = moduleWith({ spec: { placementRefs: [{ namespace: 'n', name: 'p' }] } });
    expect(plan([], [], module).conditions[0]?.message).toContain('placementRefs are not evaluated yet');
  });

  test('says which clusters a module that is being removed waits for', () => {
    const module = moduleWith();
    const leaving = { ...module, metadata: { ...module.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const works = Array.from({ length: 12 }, (_, index) => workWith({ name: `c${String(index).padStart(2, '0')}` }));
    const [available] = plan([], works, leaving).conditions;
    expect(available).toEqual({
      ...{ type: 'Available', status: 'False', reason: 'Removing', observedGeneration: 1 },
      message: 'waits for c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more to unload the module',
    });
  });

  test('names no more than ten clusters, with messages that fit', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      view({
        name: `c${String(29 - index).padStart(2, '0')}`,
        waiting: { reason: 'BuildFailed', message: 'x'.repeat(5000), pending: false },
      }),
    );
    const { worstClusters = [] } = plan(many).status;
    expect(worstClusters.map(({ name }) => name)).toEqual([
      'c00',
      'c01',
      'c02',
      'c03',
      'c04',
      'c05',
      'c06',
      'c07',
      'c08',
      'c09',
    ]);
    expect(new Set(worstClusters.map(({ message }) => message.length))).toEqual(new Set([2048]));
  });
});
