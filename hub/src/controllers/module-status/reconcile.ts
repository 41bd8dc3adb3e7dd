import {
  MANAGED_CLUSTER_MODULE_FINALIZER,
  type ManagedCluster,
  type ManagedClusterModule,
  managedClusterModule,
  type Resource,
} from '@kmm-hub/api-types';
import { conditionOf, type EventRecorder, type KubeClient, type ReconcileResult, setConditions } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { Fleet } from '../../fleet/fleet.ts';
import { canonical } from '../../fleet/recipe.ts';
import type { Waiting } from '../cluster-work/plan.ts';
import { workKey } from '../cluster-work/reconcile.ts';
import { type ClusterView, planStatus } from './plan.ts';

export type ModuleStatusDeps = {
  client: KubeClient;
  fleet: Fleet;
  outcomes: ReadonlyMap<string, Waiting | undefined>;
  events: EventRecorder;
  log: Logger;
};

const modules = managedClusterModule as Resource<ManagedClusterModule>;
const DEFAULT_GRACE_SECONDS = 600;

/** `key` is the name of a ManagedClusterModule: its finalizer, its status, and its end. */
export async function reconcileStatus(
  deps: ModuleStatusDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const module = deps.fleet.modules.get(key);
  if (module === undefined) return undefined;
  if (module.metadata.deletionTimestamp !== undefined) return finish(deps, module, signal);
  if (!module.metadata.finalizers?.includes(MANAGED_CLUSTER_MODULE_FINALIZER)) {
    const finalizers = [...(module.metadata.finalizers ?? []), MANAGED_CLUSTER_MODULE_FINALIZER];
    await patchFinalizers(deps, { module, finalizers }, signal);
    return undefined; // the write brings the key back
  }
  await writeStatus(deps, module, signal);
  return undefined;
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

async function writeStatus(deps: ModuleStatusDeps, module: ManagedClusterModule, signal: AbortSignal): Promise<void> {
  const { client, fleet, events, log } = deps;
  const works = fleet.works.byIndex('module', module.metadata.name);
  const views = viewsOf(deps, module);
  if (views === undefined) return;
  const { status, conditions } = planStatus(module, views, works);
  const next = { ...status, conditions: setConditions(module.status?.conditions, conditions, new Date()) };
  if (canonical(next) === canonical(module.status ?? null)) return;
  await client.replace(modules, { object: { ...module, status: next }, subresource: 'status' }, signal);
  const available = conditionOf(next.conditions, 'Available');
  if (available === undefined || available.reason === conditionOf(module.status?.conditions, 'Available')?.reason)
    return;
  log.info({ module: module.metadata.name, reason: available.reason }, 'module status changed');
  const degraded = conditionOf(next.conditions, 'Degraded')?.status === 'True';
  const { reason, message } = available;
  const type = degraded ? 'Warning' : 'Normal';
  await events.record({ resource: modules, object: module, type, reason, message }, signal);
}

/**
 * The selected clusters. `undefined` while one was not looked at yet, as after a restart: what it waits for is not known,
 * and telling half of it would take the reasons away from a status that is right. The look brings the key back.
 */
function viewsOf({ fleet, outcomes }: ModuleStatusDeps, module: ManagedClusterModule): ClusterView[] | undefined {
  const { name: moduleName } = module.metadata;
  const selected = fleet.selectedClusters(module);
  if (selected.some((name) => !outcomes.has(workKey(moduleName, name)))) return undefined;
  return selected.map((name) => {
    const work = fleet.workOf(moduleName, name);
    const waiting = outcomes.get(workKey(moduleName, name));
    const reachable = isReachable(fleet.clusters.get(name));
    return { name, reachable, ...(work && { work }), ...(waiting && { waiting }) };
  });
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
