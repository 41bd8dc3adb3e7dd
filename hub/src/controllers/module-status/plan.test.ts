import type { Condition, ManagedClusterModule } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { moduleWith } from '../../test-objects.fixture.ts';
import type { ClusterState } from './cluster-state.ts';
import { type ClusterEntry, ClusterSums } from './cluster-sums.ts';
import { planEvents, planStatus, type StatusEvent } from './plan.ts';

const stateWith = (overrides: Partial<ClusterState> = {}): ClusterState => ({
  ...{ state: 'Available', reason: 'Loaded', message: 'm', nodesDesired: 0, nodesAvailable: 0 },
  ...overrides,
});
const good: ClusterEntry = { work: 'applied', seen: stateWith({ nodesDesired: 3, nodesAvailable: 3 }) };
const slow: ClusterEntry = {
  work: 'none',
  seen: stateWith({ state: 'Progressing', reason: 'ImagesPending', message: 'soon' }),
};
const bad: ClusterEntry = {
  work: 'none',
  seen: stateWith({ state: 'Degraded', reason: 'BuildFailed', message: 'mend it' }),
};
const partly: ClusterEntry = { ...good, uncovered: { reason: 'NoKernelMapping', message: 'no mapping for 7' } };
const leaving: ClusterEntry = { work: 'exists' };

function plan(clusters: Record<string, ClusterEntry>, module: ManagedClusterModule = moduleWith()) {
  const sums = new ClusterSums();
  for (const [name, entry] of Object.entries(clusters)) sums.set(name, entry);
  return planStatus(module, sums);
}

describe('the status of a module', () => {
  test('sums its clusters up, those that need a person first', () => {
    expect(plan({ good, slow, worse: bad, leaving, partly })).toEqual({
      status: {
        ...{ numberDesired: 3, numberApplied: 2, numberDegraded: 1, numberSelected: 4, numberAvailable: 2 },
        ...{ nodesDesired: 6, nodesAvailable: 6, observedGeneration: 1 },
        worstClusters: [
          { name: 'worse', reason: 'BuildFailed', message: 'mend it' },
          { name: 'slow', reason: 'ImagesPending', message: 'soon' },
        ],
      },
      conditions: [
        {
          ...{ type: 'Available', status: 'False', reason: 'BuildFailed', observedGeneration: 1 },
          message: '2 of 4 clusters are not there yet; first worse: mend it',
        },
        {
          ...{ type: 'Degraded', status: 'True', reason: 'BuildFailed', observedGeneration: 1 },
          message: '1 of 4 clusters needs a person; first worse: mend it',
        },
        {
          ...{ type: 'KernelsCovered', status: 'False', reason: 'NoKernelMapping', observedGeneration: 1 },
          message: '1 of 4 clusters has kernels that get no image; first partly: no mapping for 7',
        },
      ],
    });
  });

  test.each<[string, Record<string, ClusterEntry>, string[]]>([
    [
      'is available when every cluster is',
      { good },
      ['Available=True Loaded', 'Degraded=False AsExpected', 'KernelsCovered=True EveryKernel'],
    ],
    [
      'waits without being degraded',
      { good, slow },
      ['Available=False ImagesPending', 'Degraded=False AsExpected', 'KernelsCovered=True EveryKernel'],
    ],
    [
      'says that no cluster is selected (W7)',
      {},
      ['Available=False NoClusters', 'Degraded=False AsExpected', 'KernelsCovered=True EveryKernel'],
    ],
    [
      'is available although kernels are left out, and says so',
      { partly },
      ['Available=True Loaded', 'Degraded=False AsExpected', 'KernelsCovered=False NoKernelMapping'],
    ],
  ])('%s', (_rule, clusters, want) => {
    const { conditions } = plan(clusters);
    expect(conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual(want);
  });

  test.each<[string, Record<string, ClusterEntry>, string[]]>([
    ['one that is there', { good }, ['the module is on every wanted node of 1 cluster', 'nothing waits for a person']],
    [
      'one that is not',
      { bad },
      ['1 of 1 cluster is not there yet; first bad: mend it', '1 of 1 cluster needs a person; first bad: mend it'],
    ],
    [
      'two',
      { bad, worse: bad },
      ['2 of 2 clusters are not there yet; first bad: mend it', '2 of 2 clusters need a person; first bad: mend it'],
    ],
  ])('speaks of %s in its number', (_count, clusters, messages) => {
    const [available, degraded] = plan(clusters).conditions;
    expect([available?.message, degraded?.message]).toEqual(messages);
  });

  test('says that placementRefs are not evaluated, rather than that nothing matches', () => {
    const module = moduleWith({ spec: { placementRefs: [{ namespace: 'n', name: 'p' }] } });
    expect(plan({}, module).conditions[0]?.message).toContain('placementRefs are not evaluated yet');
  });

  test('says which clusters a module that is being removed waits for', () => {
    const module = moduleWith();
    const removed = { ...module, metadata: { ...module.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const names = Array.from({ length: 12 }, (_, index) => `c${String(11 - index).padStart(2, '0')}`);
    const [available] = plan(Object.fromEntries(names.map((name) => [name, leaving])), removed).conditions;
    expect(available).toEqual({
      ...{ type: 'Available', status: 'False', reason: 'Removing', observedGeneration: 1 },
      message: 'waits for c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more to unload the module',
    });
  });

  test('names no more than ten clusters, with messages that fit', () => {
    const long: ClusterEntry = { ...bad, seen: stateWith({ state: 'Degraded', message: 'x'.repeat(5000) }) };
    const names = Array.from({ length: 30 }, (_, index) => `c${String(29 - index).padStart(2, '0')}`);
    const { worstClusters = [] } = plan(Object.fromEntries(names.map((name) => [name, long]))).status;
    expect(worstClusters.map(({ name }) => name)).toEqual(names.sort().slice(0, 10));
    expect(new Set(worstClusters.map(({ message }) => message.length))).toEqual(new Set([2048]));
  });
});

const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  ...{ type, status, reason, message: `${reason} it is`, lastTransitionTime: '2026-01-01T00:00:00Z' },
});
const loaded = condition('Available', 'True', 'Loaded');
const failed = condition('Available', 'False', 'BuildFailed');
const degraded = condition('Degraded', 'True', 'BuildFailed');
const covered = condition('KernelsCovered', 'True', 'EveryKernel');
const unmapped = condition('KernelsCovered', 'False', 'NoKernelMapping');
const eventOf = (type: StatusEvent['type'], reason: string): StatusEvent => ({
  type,
  reason,
  message: `${reason} it is`,
});

test.each<[string, Condition[] | undefined, Condition[], StatusEvent[]]>([
  ['the first status', undefined, [loaded, covered], [eventOf('Normal', 'Loaded')]],
  ['a status whose reasons are as they were', [loaded, covered], [loaded, covered], []],
  ['a module that needs a person', [loaded], [failed, degraded], [eventOf('Warning', 'BuildFailed')]],
  ['a module that heals', [failed, degraded], [loaded], [eventOf('Normal', 'Loaded')]],
  ['kernels that get no image', [loaded, covered], [loaded, unmapped], [eventOf('Warning', 'NoKernelMapping')]],
  ['kernels that get one at last', [loaded, unmapped], [loaded, covered], [eventOf('Normal', 'EveryKernel')]],
  [
    'a cluster none of whose kernels gets an image',
    [loaded, covered],
    [condition('Available', 'False', 'NoKernelMapping'), condition('Degraded', 'True', 'NoKernelMapping'), unmapped],
    [eventOf('Warning', 'NoKernelMapping')],
  ],
])('%s: what is told in Events', (_rule, ...[before, now, events]) => {
  expect(planEvents(before, now)).toEqual(events);
});
