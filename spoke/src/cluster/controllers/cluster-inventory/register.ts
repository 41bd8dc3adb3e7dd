import { Controller } from '@kmm-hub/kube';
import { isSameNode } from '../../caches.ts';
import type { Runtime } from '../../runtime.ts';
import type { ClusterInventoryDeps } from './deps.ts';
import { reconcileClusterInventory } from './reconcile.ts';

const KEY = 'inventory';

/** One key, and every change waits `coalesceMs` for others: that is also the shortest time between two writes. */
export function clusterInventoryController(
  deps: ClusterInventoryDeps,
  { metrics, coalesceMs }: Runtime & { coalesceMs: number },
): Controller {
  const { nodes, features, topologies, configs, inventories, log } = deps;
  const reconcile = (_key: string, signal: AbortSignal) => reconcileClusterInventory(deps, signal);
  const controller = new Controller({ name: 'cluster-inventory', reconcile, log, metrics, concurrency: 1 });
  const soon = () => controller.queue.addAfter(KEY, coalesceMs);
  nodes.onChange(({ old, current }) => {
    if (!isSameNode(old, current)) soon();
  });
  for (const cache of [features, topologies, configs, inventories]) cache.onChange(soon);
  soon(); // a cluster without nodes has an inventory too
  return controller;
}
