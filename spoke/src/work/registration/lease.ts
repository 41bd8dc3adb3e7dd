import { type Lease, lease, MANAGED_CLUSTER_LEASE } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { guardedPatch } from '../guarded-patch.ts';
import type { RegistrationDeps } from './deps.ts';
import { isAccepted } from './plan.ts';

/** The hub calls a cluster unreachable after five of these without a renewal. */
const DEFAULT_LEASE_SECONDS = 60;

/** Renews the lease that tells the hub that this agent lives; made when the hub has not made it. `key` is the cluster's name. */
export async function renewLease(
  { hub, clusters, now }: Pick<RegistrationDeps, 'hub' | 'clusters' | 'now'>,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cluster = clusters.get(key);
  if (!isAccepted(cluster)) return undefined;
  const leaseDurationSeconds = cluster.spec?.leaseDurationSeconds ?? DEFAULT_LEASE_SECONDS;
  const ref = { namespace: key, name: MANAGED_CLUSTER_LEASE };
  const spec: Lease['spec'] = { leaseDurationSeconds, renewTime: microTime(now()) };
  const live = await hub.getIfPresent(lease, ref, signal);
  if (live === undefined) {
    const labels = { 'open-cluster-management.io/cluster-name': key };
    await hub.create(lease, { metadata: { ...ref, labels }, spec }, signal);
  } else {
    await hub.patch(lease, { ref, patch: guardedPatch(live, { spec }) }, signal);
  }
  return { requeueAfterMs: leaseDurationSeconds * 1000 };
}

/** metav1.MicroTime takes six digits, no fewer. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
