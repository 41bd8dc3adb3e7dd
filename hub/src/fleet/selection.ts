import type { ClusterInventory, HubError, ManagedCluster, ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { checkClusterVersion, matchesLabelSelector, matchesLabels } from '@kmm-hub/rules';

/** `unknown`: the selectors cannot be judged now; nothing new is delivered, and what the cluster has stays. */
export type Selection = 'selected' | 'deselected' | 'unknown';

/**
 * Whether a module wants a cluster: every selector that is given must match. A cluster that is not accepted, or that is
 * leaving, is deselected; one that is merely unreachable is not, so that its modules stay.
 * `featureSelector` matches when any group of nodes has the features; without an inventory that is unknown, as are
 * `placementRefs`, which are not evaluated yet. Without any selector nothing is selected: never more than was asked for.
 */
export function judgeCluster(
  spec: ManagedClusterModuleSpec,
  cluster: ManagedCluster,
  inventory: ClusterInventory | undefined,
): Selection {
  if (cluster.metadata.deletionTimestamp !== undefined || !cluster.spec?.hubAcceptsClient) return 'deselected';
  if (!matchesByLabels(spec, cluster.metadata.labels ?? {})) return 'deselected';
  if ((spec.placementRefs ?? []).length > 0) return 'unknown';
  const { selector, clusterSelector, featureSelector } = spec;
  if (featureSelector === undefined) {
    return selector === undefined && clusterSelector === undefined ? 'deselected' : 'selected';
  }
  if (inventory?.spec === undefined) return 'unknown';
  const found = inventory.spec.groups.some((group) => matchesLabelSelector(featureSelector, group.features));
  return found ? 'selected' : 'deselected';
}

/** What keeps a module off a cluster, whatever its nodes are: ClusterTooOld, by the version that its registration reports. */
export function clusterProblem(
  { moduleSpec }: ManagedClusterModuleSpec,
  cluster: ManagedCluster | undefined,
): HubError | undefined {
  const checked = checkClusterVersion(moduleSpec ?? {}, cluster?.status?.version?.kubernetes);
  return checked.ok ? undefined : checked.error;
}

function matchesByLabels(
  { selector, clusterSelector }: ManagedClusterModuleSpec,
  labels: Record<string, string>,
): boolean {
  if (selector !== undefined && !matchesLabels(selector, labels)) return false;
  return clusterSelector === undefined || matchesLabelSelector(clusterSelector, labels);
}
