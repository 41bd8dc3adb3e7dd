import { node as nodeResource } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { FIELD_MANAGER } from '../../defaults.ts';
import { trustedNodeFeature } from '../../trusted-node-feature.ts';
import type { NodeFeaturesDeps } from './deps.ts';
import { planNodeFeatures } from './plan.ts';

/**
 * `key` is the name of a node. A node without NodeFeature keeps its labels until one was seen and went away: where NFD
 * itself runs, with the same annotation, labels that this agent never set would be lost at its first start.
 */
export async function reconcileNodeFeatures(
  deps: NodeFeaturesDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, nodes, seen, dropped, log } = deps;
  const node = nodes.get(key);
  const feature = trustedNodeFeature(deps, key);
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) {
    seen.delete(key);
    dropped.set(key, { denied: 0, invalid: 0 });
    return undefined;
  }
  if (feature === undefined && !seen.has(key)) return undefined;
  seen.add(key);
  const plan = planNodeFeatures(node, feature);
  dropped.set(key, plan.dropped);
  if (plan.patch === undefined) return undefined;
  // the version guards the tracking annotation: one made from an old copy would forget labels that were set meanwhile
  const metadata = { ...plan.patch, resourceVersion: node.metadata.resourceVersion };
  await client.patch(nodeResource, { ref: { name: key }, patch: { metadata }, fieldManager: FIELD_MANAGER }, signal);
  log.info({ node: key, labels: Object.keys(plan.patch.labels).length, ...plan.dropped }, 'feature labels changed');
  return undefined;
}
