import { isDeepStrictEqual } from 'node:util';
import type { ClusterClaim, ManagedCluster, Node } from '@kmm-hub/api-types';
import { type Cache, conditionOf, type WorkQueue } from '@kmm-hub/kube';

/** The part of a node that a cluster's capacity is made of: what the cache keeps of it. */
export function capacityOf({ metadata: { name, uid, resourceVersion }, spec, status }: Node): Node {
  return {
    metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { unschedulable: spec?.unschedulable ?? false },
    status: { capacity: status?.capacity ?? {}, allocatable: status?.allocatable ?? {} },
  };
}

/** The hub calls a cluster whose lease ran out Unknown: that is put right at once, not with the next check. */
function availabilityOf(cluster: ManagedCluster | undefined): string | undefined {
  return conditionOf(cluster?.status?.conditions, 'ManagedClusterConditionAvailable')?.status;
}

/** Everything that changes what is reported; the cluster's name is the only key. */
export function watchRegistration(
  caches: { clusters: Cache<ManagedCluster>; claims: Cache<ClusterClaim>; nodes: Cache<Node> },
  { status, lease }: { status: WorkQueue; lease: WorkQueue },
  clusterName: string,
): void {
  caches.clusters.onChange(({ old, current }) => {
    const sameSpec = old !== undefined && old.metadata.generation === current?.metadata.generation;
    if (sameSpec && availabilityOf(old) === availabilityOf(current)) return; // our own status
    status.add(clusterName);
    if (!sameSpec) lease.add(clusterName);
  });
  caches.claims.onChange(() => status.add(clusterName));
  caches.nodes.onChange(({ old, current }) => {
    const same = isDeepStrictEqual([old?.spec, old?.status], [current?.spec, current?.status]);
    if (!same) status.add(clusterName);
  });
}
