import {
  MANAGED_CLUSTER_MODULE_FINALIZER,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManifestWork,
  managedClusterModule,
  type Resource,
} from '@kmm-hub/api-types';
import { conditionOf, type EventRecorder, type KubeClient, type ReconcileResult, setConditions } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { Fleet } from '../../fleet/fleet.ts';
import { canonical } from '../../fleet/recipe.ts';
import type { Outcome } from '../cluster-work/plan.ts';
import { type Outcomes, workKey } from '../cluster-work/reconcile.ts';
import { clusterState } from './cluster-state.ts';
import type { ClusterEntry } from './cluster-sums.ts';
import { ModuleSums } from './module-sums.ts';
import { planEvents, planStatus } from './plan.ts';

export type ModuleStatusDeps = {
  client: KubeClient;
  fleet: Fleet;
  sums: ModuleSums;
  /** Module → since when some of its clusters were not looked at; monotonic, in milliseconds. */
  unsureSince: Map<string, number>;
  events: EventRecorder;
  log: Logger;
};

const modules = managedClusterModule as Resource<ManagedClusterModule>;
const DEFAULT_GRACE_SECONDS = 600;
/** A hub that just started looks at ten thousand clusters in less; a cluster that takes longer must not hide the others. */
const UNSURE_LIMIT_MS = 10_000;

/** `key` is the name of a ManagedClusterModule: its finalizer, its status, and its end. */
export async function reconcileStatus(
  deps: ModuleStatusDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const module = deps.fleet.modules.get(key);
  if (module === undefined) {
    deps.sums.forget(key);
    deps.unsureSince.delete(key);
    return undefined;
  }
  if (module.metadata.deletionTimestamp !== undefined) return finish(deps, module, signal);
  if (!module.metadata.finalizers?.includes(MANAGED_CLUSTER_MODULE_FINALIZER)) {
    const finalizers = [...(module.metadata.finalizers ?? []), MANAGED_CLUSTER_MODULE_FINALIZER];
    await patchFinalizers(deps, { module, finalizers }, signal);
    return undefined; // the write brings the key back
  }
  return writeStatus(deps, module, signal);
}

/** Holds the module until its works are gone, which is when its spokes have unloaded, or the grace period is over (W15). */
async function finish(
  deps: ModuleStatusDeps,
  module: ManagedClusterModule,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { fleet, events, log } = deps;
  const { name, deletionTimestamp = '', finalizers = [] } = module.metadata;
  if (!finalizers.includes(MANAGED_CLUSTER_MODULE_FINALIZER)) return undefined;
  const left = fleet.works.byIndex('module', name).map(({ metadata }) => metadata.namespace);
  const graceMs = (module.spec.removalGraceSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
  const overdueMs = Date.now() - Date.parse(deletionTimestamp) - graceMs;
  if (left.length > 0 && overdueMs < 0) {
    await writeStatus(deps, module, signal);
    return { requeueAfterMs: -overdueMs };
  }
  if (left.length > 0) {
    const message = `not unloaded within ${graceMs / 1000} s on ${left.slice(0, 10).join(', ')}; check these clusters`;
    await events.record(
      { resource: modules, object: module, type: 'Warning', reason: 'RemovalOverdue', message },
      signal,
    );
  }
  const others = finalizers.filter((entry) => entry !== MANAGED_CLUSTER_MODULE_FINALIZER);
  await patchFinalizers(deps, { module, finalizers: others }, signal);
  log.info({ module: name, left: left.length }, 'module removed');
  return undefined;
}

async function writeStatus(
  deps: ModuleStatusDeps,
  module: ManagedClusterModule,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, sums, events, log } = deps;
  const { name } = module.metadata;
  const clusters = sums.of(name);
  const unsureMs = unsureForMs(deps, name, clusters.totals.unsure);
  if (unsureMs > 0) return { requeueAfterMs: unsureMs };
  const { status, conditions } = planStatus(module, clusters);
  const next = { ...status, conditions: setConditions(module.status?.conditions, conditions, new Date()) };
  if (canonical(next) === canonical(module.status ?? null)) return undefined;
  await client.replace(modules, { object: { ...module, status: next }, subresource: 'status' }, signal);
  for (const event of planEvents(module.status?.conditions, next.conditions)) {
    log.info({ module: name, reason: event.reason }, 'module status changed');
    await events.record({ resource: modules, object: module, ...event }, signal);
  }
  return undefined;
}

/**
 * How long to wait for clusters that were not looked at yet, as after a restart: what they wait for is not known, and telling
 * half of it would take the reasons away from a status that is right. The last look brings the key back sooner.
 */
function unsureForMs({ unsureSince }: ModuleStatusDeps, module: string, unsure: number): number {
  if (unsure === 0) {
    unsureSince.delete(module);
    return 0;
  }
  const sinceMs = unsureSince.get(module) ?? performance.now();
  unsureSince.set(module, sinceMs);
  return sinceMs + UNSURE_LIMIT_MS - performance.now();
}

type Sources = { fleet: Fleet; outcomes: Outcomes };

/** The sums of every module, by the caches and by what was found of each cluster. */
export function moduleSums(sources: Sources): ModuleSums {
  const { fleet } = sources;
  const clustersOf = (name: string) => {
    const module = fleet.modules.get(name);
    const selected = module === undefined ? [] : fleet.selectedClusters(module);
    return [...selected, ...fleet.works.byIndex('module', name).map(({ metadata }) => metadata.namespace ?? '')];
  };
  return new ModuleSums({ look: (module, cluster) => entryOf(sources, module, cluster), clustersOf });
}

/** What a cluster adds to a module's sums; undefined when it is neither selected nor has a work. */
function entryOf({ fleet, outcomes }: Sources, moduleName: string, cluster: string): ClusterEntry | undefined {
  const module = fleet.modules.get(moduleName);
  const work = fleet.workOf(moduleName, cluster);
  const selected = module !== undefined && fleet.selects(module, cluster);
  if (!selected) return work && { work: workOf(work) };
  const outcome = outcomes.get(workKey(moduleName, cluster));
  const { waiting, uncovered }: Outcome = outcome ?? { waiting: NOT_LOOKED_AT };
  const reachable = isReachable(fleet.clusters.get(cluster));
  const seen = clusterState({ reachable, ...(work && { work }), ...(waiting && { waiting }) });
  return { work: workOf(work), seen, ...(uncovered && { uncovered }), unsure: outcome === undefined };
}

const NOT_LOOKED_AT = { reason: 'NotLookedAt', message: 'the hub looks at it now', pending: true };

function workOf(work: ManifestWork | undefined): ClusterEntry['work'] {
  if (work === undefined) return 'none';
  return conditionOf(work.status?.conditions, 'Applied')?.status === 'True' ? 'applied' : 'exists';
}

/** Available is Unknown once the lease is old; a cluster that never reported anything is not called unreachable yet. */
function isReachable(cluster: ManagedCluster | undefined): boolean {
  const available = conditionOf(cluster?.status?.conditions, 'ManagedClusterConditionAvailable');
  return available === undefined || available.status === 'True';
}

async function patchFinalizers(
  { client }: ModuleStatusDeps,
  { module, finalizers }: { module: ManagedClusterModule; finalizers: string[] },
  signal: AbortSignal,
): Promise<void> {
  const { name, resourceVersion } = module.metadata;
  const patch = { metadata: { finalizers, resourceVersion } }; // with the version: somebody may have changed the list
  await client.patch(modules, { ref: { name }, patch }, signal);
}
