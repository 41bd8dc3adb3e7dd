import { Controller } from '@kmm-hub/kube';
import type { Runtime } from '../../runtime.ts';
import type { ModuleNamespaceDeps } from './deps.ts';
import { reconcileModuleNamespace } from './reconcile.ts';

/** Keys are names of namespaces: one key, one worker, so that the last Module's going and the next one's coming never cross. */
export function moduleNamespaceController(deps: ModuleNamespaceDeps, { metrics }: Runtime): Controller {
  const { modules, log } = deps;
  const reconcile = (key: string, signal: AbortSignal) => reconcileModuleNamespace(deps, key, signal);
  const controller = new Controller({ name: 'module-namespace', reconcile, log, metrics });
  modules.onChange(({ old, current }) => {
    const namespace = (current ?? old)?.metadata.namespace;
    // only coming and going matters; every version in between would cost a request
    if (namespace !== undefined && (old === undefined || current === undefined)) controller.queue.add(namespace);
  });
  return controller;
}
