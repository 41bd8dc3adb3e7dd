import type { NodeFeature } from '@kmm-hub/api-types';
import { type Cache, Controller } from '@kmm-hub/kube';
import { isSameNode } from '../../caches.ts';
import type { Runtime } from '../../runtime.ts';
import type { NodeFeaturesDeps } from './deps.ts';
import { reconcileNodeFeatures } from './reconcile.ts';

/** Keys are node names; a NodeFeature of another name than its node's speaks for nobody. */
export function nodeFeaturesController(
  deps: NodeFeaturesDeps & { features: Cache<NodeFeature> },
  { metrics }: Runtime,
): Controller {
  const { nodes, features, log } = deps;
  const reconcile = (key: string, signal: AbortSignal) => reconcileNodeFeatures(deps, key, signal);
  const controller = new Controller({ name: 'node-features', reconcile, log, metrics });
  nodes.onChange(({ key, old, current }) => {
    if (!isSameNode(old, current)) controller.queue.add(key);
  });
  features.onChange(({ old, current }) => {
    const name = (current ?? old)?.metadata.name;
    if (name !== undefined) controller.queue.add(name);
  });
  return controller;
}
