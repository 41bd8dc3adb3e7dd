import type { Lease, ManagedCluster } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';

/** A renewal as it was seen: its own time is its writer's, whose clock may be wrong. `atMs` is of a clock that only goes on. */
export type SeenRenewal = { renewTime: string; atMs: number };

export type LeasePlan =
  | { action: 'none' | 'create' }
  /** Looks again after this long. */
  | { action: 'wait'; forMs: number }
  | { action: 'markUnknown' };

/** A lease that was not renewed for five of its durations is given up (OCM). */
const DURATIONS = 5;
const DEFAULT_LEASE_SECONDS = 60;

export const AVAILABLE = 'ManagedClusterConditionAvailable';

/** What an OCM hub does about a cluster's lease. `seen` is the last renewal that was seen. Pure. */
export function planLease(
  cluster: ManagedCluster | undefined,
  { lease, seen, nowMs }: { lease: Lease | undefined; seen: SeenRenewal | undefined; nowMs: number },
): LeasePlan {
  if (cluster?.spec?.hubAcceptsClient !== true) return { action: 'none' };
  if (lease === undefined || seen === undefined) {
    return { action: cluster.metadata.deletionTimestamp === undefined ? 'create' : 'none' };
  }
  const graceMs = DURATIONS * 1000 * (cluster.spec.leaseDurationSeconds ?? DEFAULT_LEASE_SECONDS);
  const leftMs = seen.atMs + graceMs - nowMs;
  if (leftMs > 0) return { action: 'wait', forMs: leftMs };
  const isUnknown = conditionOf(cluster.status?.conditions, AVAILABLE)?.status === 'Unknown';
  return isUnknown ? { action: 'none' } : { action: 'markUnknown' };
}
