import { isDeepStrictEqual } from 'node:util';
import { type ManagedCluster, managedCluster } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { claimsToReport } from './claims.ts';
import type { RegistrationDeps } from './deps.ts';
import { clusterStatus, isAccepted, judgedHealth, type SpokeHealth } from './plan.ts';
import { askHealth } from './spoke-health.ts';

/** OCM's periods. */
const HEALTH_CHECK_MS = 60_000;
const UNHEALTHY_CHECK_MS = 5000;

/** Reports one cluster to the hub: the reconcile function of a controller with a single key, the cluster's name. */
export function clusterStatusReconciler(deps: RegistrationDeps) {
  let failingSinceMs: number | undefined;
  return async (key: string, signal: AbortSignal): Promise<ReconcileResult> => {
    const { spoke, clusters, claims, nodes, now } = deps;
    const cluster = clusters.get(key);
    if (!isAccepted(cluster)) return undefined;
    const asked = await askHealth(spoke, signal);
    if (asked.healthy && !(claims.synced && nodes.synced)) return { requeueAfterMs: 200 }; // an empty list is not yet "none"
    const nowMs = now().getTime();
    failingSinceMs = asked.healthy ? undefined : (failingSinceMs ?? nowMs);
    const health = judgedHealth(asked, nowMs - (failingSinceMs ?? nowMs));
    await report(deps, { cluster, health }, signal);
    return { requeueAfterMs: asked.healthy ? HEALTH_CHECK_MS : UNHEALTHY_CHECK_MS };
  };
}

async function report(
  { hub, claims, nodes, now, log }: RegistrationDeps,
  { cluster, health }: { cluster: ManagedCluster; health: SpokeHealth | undefined },
  signal: AbortSignal,
): Promise<void> {
  const status = clusterStatus(cluster, { health, claims: claims.list(), nodes: nodes.list() }, now());
  if (isDeepStrictEqual(status, cluster.status)) return;
  // PUT, as a merge patch could not take a resource out of the capacity; the resourceVersion guards the hub's conditions
  await hub.replace(managedCluster, { object: { ...cluster, status }, subresource: 'status' }, signal);
  const { dropped } = claimsToReport(claims.list());
  log.info({ cluster: cluster.metadata.name, healthy: health?.healthy, droppedClaims: dropped }, 'cluster reported');
}
