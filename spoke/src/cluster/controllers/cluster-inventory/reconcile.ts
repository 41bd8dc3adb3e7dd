import { isDeepStrictEqual } from 'node:util';
import { clusterInventory } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { trustedNodeFeature } from '../../trusted-node-feature.ts';
import type { ClusterInventoryDeps } from './deps.ts';
import { planInventory } from './plan.ts';

/** There is one inventory, so there is one key. It is replaced whole, with the version that was compared. */
export async function reconcileClusterInventory(
  deps: ClusterInventoryDeps,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, clusterName, nodes, topologies, configs, inventories, log } = deps;
  const sources = nodes.list().map((node) => ({
    node,
    feature: trustedNodeFeature(deps, node.metadata.name),
    topology: topologies.get(node.metadata.name),
    config: configs.get(node.metadata.name),
  }));
  const spec = planInventory(sources);
  const current = inventories.get(`${clusterName}/${clusterName}`);
  if (isDeepStrictEqual(current?.spec, spec)) return undefined;
  const { labels, annotations, resourceVersion } = current?.metadata ?? {};
  const metadata = {
    name: clusterName,
    namespace: clusterName,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  if (current === undefined) await client.create(clusterInventory, { metadata, spec }, signal);
  else await client.replace(clusterInventory, { object: { metadata, spec } }, signal);
  const { nodeCount, groups, truncated = false } = spec;
  log.info({ cluster: clusterName, nodeCount, groups: groups.length, truncated }, 'cluster inventory changed');
  return undefined;
}
