import { type Lease, lease, MANAGED_CLUSTER_LEASE, type ManagedCluster, managedCluster } from '@kmm-hub/api-types';
import {
  Controller,
  createLogger,
  type KubeClient,
  type ReconcileResult,
  Reflector,
  setConditions,
} from '@kmm-hub/kube';
import { AVAILABLE, planLease, type SeenRenewal } from './lease-plan.ts';

type Deps = {
  hub: KubeClient;
  clusters: { get(name: string): ManagedCluster | undefined };
  leases: { get(key: string): Lease | undefined };
  seen: Map<string, SeenRenewal>;
};

/**
 * OCM's lease controller, for hubs of the lab, which have no OCM: makes the lease of each accepted cluster, and calls a cluster
 * whose lease is not renewed Unknown, since one that is cut off cannot say so itself. Its agent takes that back when it is back.
 * `hub` has an administrator's rights. Runs until aborted.
 */
export async function runLeaseController(hub: KubeClient, signal: AbortSignal): Promise<void> {
  const log = createLogger({ process: 'lab-lease-controller', level: 'error', pretty: false });
  const clusters = new Reflector({ client: hub, resource: managedCluster, log });
  const select = { fieldSelector: `metadata.name=${MANAGED_CLUSTER_LEASE}` };
  const leases = new Reflector({ client: hub, resource: lease, select, log });
  const deps: Deps = { hub, clusters: clusters.cache, leases: leases.cache, seen: new Map() };
  const controller = new Controller({
    name: 'lease',
    reconcile: async (key, limit) => (leases.cache.synced ? reconcileLease(deps, key, limit) : { requeueAfterMs: 100 }),
    log,
  });
  clusters.cache.onChange(({ key }) => controller.queue.add(key));
  leases.cache.onChange(({ old, current }) => {
    const namespace = (current ?? old)?.metadata.namespace;
    if (namespace !== undefined) controller.queue.add(namespace); // a cluster's namespace has its name
  });
  await Promise.all([clusters, leases, controller].map((part) => part.run(signal)));
}

async function reconcileLease(deps: Deps, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { hub, clusters, leases, seen } = deps;
  const cluster = clusters.get(key);
  const current = leases.get(`${key}/${MANAGED_CLUSTER_LEASE}`);
  const nowMs = performance.now();
  const renewTime = current?.spec?.renewTime;
  if (renewTime !== undefined && seen.get(key)?.renewTime !== renewTime) seen.set(key, { renewTime, atMs: nowMs });
  const plan = planLease(cluster, { lease: current, seen: seen.get(key), nowMs });
  if (plan.action === 'wait') return { requeueAfterMs: plan.forMs };
  if (plan.action === 'create') await createLease(hub, key, signal);
  if (plan.action === 'markUnknown' && cluster !== undefined) await markUnknown(hub, cluster, signal);
  return undefined;
}

async function createLease(hub: KubeClient, cluster: string, signal: AbortSignal): Promise<void> {
  const labels = { 'open-cluster-management.io/cluster-name': cluster };
  const metadata = { namespace: cluster, name: MANAGED_CLUSTER_LEASE, labels };
  const renewTime = new Date().toISOString().replace('Z', '000Z'); // metav1.MicroTime takes six digits, no fewer
  await hub.createIfAbsent(lease, { metadata, spec: { renewTime } }, signal);
}

async function markUnknown(hub: KubeClient, cluster: ManagedCluster, signal: AbortSignal): Promise<void> {
  const { name, uid, resourceVersion } = cluster.metadata;
  const unknown = {
    ...{ type: AVAILABLE, status: 'Unknown' as const, reason: 'ManagedClusterLeaseUpdateStopped' },
    message: 'Registration agent stopped updating its lease.',
  };
  const conditions = setConditions(cluster.status?.conditions, [unknown], new Date());
  // guarded: the list is written whole, and the agent may be back and have written its own
  const patch = { metadata: { uid, resourceVersion }, status: { conditions } };
  await hub.patch(managedCluster, { ref: { name }, patch, subresource: 'status' }, signal);
}
