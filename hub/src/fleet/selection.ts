import type { ClusterInventory, ManagedCluster, ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { matchesLabelSelector, matchesLabels } from '@kmm-hub/rules';

/**
 * Whether a module wants a cluster: every selector that is given must match. A cluster that is not accepted, or that is
 * leaving, is not selected; one that is merely unreachable is, so that its modules stay.
 * `featureSelector` matches when any group of nodes has the features. Without any selector nothing is selected, and
 * `placementRefs`, which are not evaluated yet, select nothing either: never more than was asked for.
 */
export function selectsCluster(
  spec: ManagedClusterModuleSpec,
  cluster: ManagedCluster,
  inventory: ClusterInventory | undefined,
): boolean {
  if (cluster.metadata.deletionTimestamp !== undefined || !cluster.spec?.hubAcceptsClient) return false;
  if (!hasSelector(spec) || (spec.placementRefs ?? []).length > 0) return false;
  const labels = cluster.metadata.labels ?? {};
  if (spec.selector !== undefined && !matchesLabels(spec.selector, labels)) return false;
  if (spec.clusterSelector !== undefined && !matchesLabelSelector(spec.clusterSelector, labels)) return false;
  const features = spec.featureSelector;
  if (features === undefined) return true;
  return (inventory?.spec?.groups ?? []).some((group) => matchesLabelSelector(features, group.features));
}

function hasSelector({ selector, clusterSelector, featureSelector }: ManagedClusterModuleSpec): boolean {
  return [selector, clusterSelector, featureSelector].some((given) => given !== undefined);
}
