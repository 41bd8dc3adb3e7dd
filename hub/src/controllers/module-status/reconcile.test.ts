import { MANAGED_CLUSTER_MODULE_FINALIZER, type ManagedClusterModule } from '@kmm-hub/api-types';
import type { EventRecorder, KubeClient } from '@kmm-hub/kube';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clusterOn, fleetInMemory, moduleWith } from '../../test-objects.fixture.ts';
import { type Outcomes, workKey } from '../cluster-work/reconcile.ts';
import { moduleSums, reconcileStatus } from './reconcile.ts';

const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A hub that just started: clusters c1 and c2 are selected. What was written of the module is in `written`. */
function started() {
  const fleet = fleetInMemory();
  const module = moduleWith();
  module.metadata.finalizers = [MANAGED_CLUSTER_MODULE_FINALIZER];
  fleet.modules.replace([module]);
  fleet.clusters.replace([clusterOn('c1', ['6.1.0']), clusterOn('c2', ['6.1.0'])]);
  const outcomes: Outcomes = new Map();
  const written: ManagedClusterModule[] = [];
  const replace = async (_resource: unknown, { object }: { object: ManagedClusterModule }) => written.push(object);
  const client = { replace } as unknown as KubeClient;
  const events = { record: async () => undefined } as unknown as EventRecorder;
  const sums = moduleSums({ fleet, outcomes });
  const deps = { client, fleet, sums, unsureSince: new Map(), events, log: pino({ level: 'silent' }) };
  const reconcile = () => reconcileStatus(deps, 'nic', signal);
  const look = (cluster: string) => {
    outcomes.set(workKey('nic', cluster), { waiting: { reason: 'BuildFailed', message: 'mend it', pending: false } });
    sums.touch('nic', cluster);
  };
  return { written, reconcile, look };
}
const reasonsOf = ([module]: ManagedClusterModule[]) =>
  module?.status?.worstClusters?.map(({ name, reason }) => `${name} ${reason}`);

test('a status is not written while some of its clusters were not looked at since the start', async () => {
  const { written, reconcile, look } = started();
  look('c1');
  expect(await reconcile()).toEqual({ requeueAfterMs: 10_000 });
  expect(written).toEqual([]);
  look('c2');
  expect(await reconcile()).toBeUndefined();
  expect(reasonsOf(written)).toEqual(['c1 BuildFailed', 'c2 BuildFailed']);
});

test('a cluster that takes too long does not hide the others', async () => {
  const { written, reconcile, look } = started();
  look('c1');
  await reconcile();
  vi.advanceTimersByTime(4_000);
  expect(await reconcile()).toEqual({ requeueAfterMs: 6_000 });
  vi.advanceTimersByTime(6_000);
  expect(await reconcile()).toBeUndefined();
  expect(reasonsOf(written)).toEqual(['c1 BuildFailed', 'c2 NotLookedAt']);
});
