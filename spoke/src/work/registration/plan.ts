import type { ClusterClaim, ManagedCluster, Node } from '@kmm-hub/api-types';
import { type ConditionUpdate, setConditions } from '@kmm-hub/kube';
import { claimsToReport } from './claims.ts';
import { sumQuantities } from './quantity.ts';

export type ClusterStatus = NonNullable<ManagedCluster['status']>;

/** How the spoke's API server is: `version` only when it is healthy. */
export type SpokeHealth = { healthy: true; version: string } | { healthy: false; message: string };

/** An API server that fails for less than this may only be restarting (OCM). */
const PATIENCE_MS = 20_000;

/** What the agent found on the spoke; `health` is undefined while it is too early to judge. */
export type SpokeFacts = { health: SpokeHealth | undefined; claims: readonly ClusterClaim[]; nodes: readonly Node[] };

/** The hub's administrator lets the cluster in; before that, and while it is taken out, nothing is reported. */
export function isAccepted(cluster: ManagedCluster | undefined): cluster is ManagedCluster {
  return cluster?.spec?.hubAcceptsClient === true && cluster.metadata.deletionTimestamp === undefined;
}

/** A failure counts only once it has lasted; until then nothing is said. */
export function judgedHealth(health: SpokeHealth, failingForMs: number): SpokeHealth | undefined {
  return health.healthy || failingForMs >= PATIENCE_MS ? health : undefined;
}

/**
 * The status of an accepted cluster. Version, capacity and claims stay as they were while the API server is not healthy: what
 * the caches hold then is old. Conditions of the hub's own stay.
 */
export function clusterStatus(
  cluster: ManagedCluster,
  { health, claims, nodes }: SpokeFacts,
  now: Date,
): ClusterStatus {
  const conditions = setConditions(cluster.status?.conditions, [joined, ...(health ? [available(health)] : [])], now);
  if (!health?.healthy) return { ...cluster.status, conditions };
  const schedulable = nodes.filter(({ spec }) => !spec?.unschedulable);
  return {
    ...cluster.status,
    conditions,
    version: { kubernetes: health.version },
    capacity: sumQuantities(nodes.map(({ status }) => status?.capacity ?? {})),
    allocatable: sumQuantities(schedulable.map(({ status }) => status?.allocatable ?? {})),
    clusterClaims: claimsToReport(claims).reported,
  };
}

const joined: ConditionUpdate = {
  type: 'ManagedClusterJoined',
  status: 'True',
  reason: 'ManagedClusterJoined',
  message: 'Managed cluster joined',
};

function available(health: SpokeHealth): ConditionUpdate {
  const type = 'ManagedClusterConditionAvailable';
  if (health.healthy) {
    return { type, status: 'True', reason: 'ManagedClusterAvailable', message: 'Managed cluster is available' };
  }
  const message = `The kube-apiserver is not ok: ${health.message}`;
  return { type, status: 'False', reason: 'ManagedClusterKubeAPIServerUnavailable', message };
}
