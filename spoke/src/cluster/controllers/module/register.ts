import { keyOf, type Module, type Node } from '@kmm-hub/api-types';
import { type Change, Controller } from '@kmm-hub/kube';
import { isSameNode, modulesOf } from '../../caches.ts';
import { askedKubernetesVersion } from '../../kubernetes-version.ts';
import { isSelected } from '../../module-on-node.ts';
import type { Runtime } from '../../runtime.ts';
import type { ModuleSources } from './deps.ts';
import { reconcileModule } from './reconcile.ts';

/** Keys are `namespace/name`. What nodes report is summed up at most once in `coalesceMs`; a Module's own change at once. */
export function moduleController(
  sources: ModuleSources,
  { metrics, coalesceMs }: Runtime & { coalesceMs: number },
): Controller {
  const { client, nodes, modules, configs, log } = sources;
  const deps = { ...sources, version: askedKubernetesVersion(client) };
  const reconcile = (key: string, signal: AbortSignal) => reconcileModule(deps, key, signal);
  const controller = new Controller({ name: 'module', reconcile, log, metrics });
  const { queue } = controller;
  modules.onChange(({ key }) => queue.add(key));
  configs.onChange(({ old, current }) => {
    const keys = [old, current].flatMap((config) => (config === undefined ? [] : modulesOf(config)));
    for (const key of new Set(keys)) queue.addAfter(key, coalesceMs);
  });
  nodes.onChange((change) => {
    if (isSameNode(change.old, change.current)) return;
    for (const module of modules.list()) if (concerns(change, module)) queue.addAfter(keyOf(module), coalesceMs);
  });
  return controller;
}

/** A Module that is being deleted waits for nodes that may go away without a word. */
function concerns({ old, current }: Change<Node>, module: Module): boolean {
  if (module.metadata.deletionTimestamp !== undefined) return true;
  return [old, current].some((node) => node !== undefined && isSelected(module, node));
}
