import type { Module, Node } from '@kmm-hub/api-types';
import type { Change } from '@kmm-hub/kube';
import { Controller, EventRecorder } from '@kmm-hub/kube';
import { BY_MODULE, isSameNode } from '../../caches.ts';
import { askedKubernetesVersion } from '../../kubernetes-version.ts';
import { isSelected } from '../../module-on-node.ts';
import type { Runtime } from '../../runtime.ts';
import type { NodeModulesSources } from './deps.ts';
import { reconcileNodeModules } from './reconcile.ts';

/** The source of upstream's Events on Nodes, by which people select them. */
const EVENT_SOURCE = 'kmm';

/** Keys are node names. A Module touches the nodes that it selects, or selected, and those that still have it. */
export function nodeModulesController(sources: NodeModulesSources, { metrics }: Runtime): Controller {
  const { client, nodes, modules, configs, log } = sources;
  const events = new EventRecorder({ client, component: EVENT_SOURCE, log });
  const deps = { ...sources, version: askedKubernetesVersion(client), events, sights: new Map() };
  const reconcile = (key: string, signal: AbortSignal) => reconcileNodeModules(deps, key, signal);
  const controller = new Controller({ name: 'node-modules', reconcile, log, metrics });
  const { queue } = controller;
  nodes.onChange(({ key, old, current }) => {
    if (!isSameNode(old, current)) queue.add(key);
  });
  configs.onChange(({ key }) => queue.add(key));
  modules.onChange((change) => {
    if (isStatusOnly(change)) return;
    for (const { metadata } of configs.byIndex(BY_MODULE, change.key)) queue.add(metadata.name);
    for (const node of nodes.list()) if (concerns(change, node)) queue.add(node.metadata.name);
  });
  return controller;
}

/** Only the status or the finalizers differ: no node is to load anything else for that. */
function isStatusOnly({ old, current }: Change<Module>): boolean {
  if (old === undefined || current === undefined) return false;
  const { generation, deletionTimestamp, uid } = old.metadata;
  const now = current.metadata;
  return generation === now.generation && deletionTimestamp === now.deletionTimestamp && uid === now.uid;
}

function concerns({ old, current }: Change<Module>, node: Node): boolean {
  return [old, current].some((module) => module !== undefined && isSelected(module, node));
}
