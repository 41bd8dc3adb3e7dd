import { namespace as namespaceResource } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { BY_NAMESPACE } from '../../caches.ts';
import { FIELD_MANAGER } from '../../defaults.ts';
import type { ModuleNamespaceDeps } from './deps.ts';
import { planNamespaceLabels } from './plan.ts';

/** `key` is the name of a namespace. It is read from the server: the agent's role lets it see no list of them. */
export async function reconcileModuleNamespace(
  { client, modules, log }: ModuleNamespaceDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const namespace = await client.getIfPresent(namespaceResource, { name: key }, signal);
  const labels = planNamespaceLabels(namespace, modules.byIndex(BY_NAMESPACE, key).length > 0);
  if (labels === undefined) return undefined;
  const options = { ref: { name: key }, patch: { metadata: { labels } }, fieldManager: FIELD_MANAGER };
  await client.patch(namespaceResource, options, signal);
  log.info({ namespace: key, labels }, 'namespace label changed');
  return undefined;
}
