import { nodeModulesConfig, node as nodeResource } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { FIELD_MANAGER } from '../../defaults.ts';
import { isSelected } from '../../module-on-node.ts';
import { permissionDefaults, permissionsOf } from '../../module-permissions.ts';
import type { NodeModulesDeps } from './deps.ts';
import { type ConfigPlan, planNodeModules } from './plan.ts';

/** `key` is the name of a node. A node that is being deleted is left alone; one that is gone takes its configuration along. */
export async function reconcileNodeModules(
  deps: NodeModulesDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { nodes, modules, configs } = deps;
  const node = nodes.get(key);
  const current = configs.get(key);
  if (node?.metadata.deletionTimestamp !== undefined) return undefined;
  if (node === undefined) {
    if (current !== undefined) await writeConfig(deps, { key, plan: { action: 'delete' } }, signal);
    return undefined;
  }
  const selected = modules.list().filter((module) => isSelected(module, node));
  const mayLoad = await permissionsOf(selected, deps, signal);
  const { operatorNamespace } = deps;
  const plan = planNodeModules({ node, modules: selected, current, mayLoad, operatorNamespace });
  await writeConfig(deps, { key, plan: plan.config }, signal);
  if (Object.keys(plan.nodeLabels).length > 0) {
    const metadata = { uid: node.metadata.uid, labels: plan.nodeLabels };
    const patch = { ref: { name: key }, patch: { metadata }, fieldManager: FIELD_MANAGER };
    await deps.client.patch(nodeResource, patch, signal);
    deps.log.info({ node: key, labels: plan.nodeLabels }, 'ready labels changed');
  }
  // nobody tells when a Role is granted
  return selected.every(mayLoad) ? undefined : { requeueAfterMs: permissionDefaults.lifetimeMs };
}

async function writeConfig(
  { client, configs, log }: NodeModulesDeps,
  { key, plan }: { key: string; plan: ConfigPlan },
  signal: AbortSignal,
): Promise<void> {
  if (plan.action === 'none') return;
  const { uid = '', resourceVersion = '' } = configs.get(key)?.metadata ?? {};
  if (plan.action === 'create') await client.create(nodeModulesConfig, plan.object, signal);
  // the version guards against a status that came meanwhile: it may say that something is loaded
  if (plan.action === 'delete') await client.delete(nodeModulesConfig, { name: key, uid, resourceVersion }, signal);
  if (plan.action === 'update') {
    const patch = { ...plan.patch, metadata: { ...plan.patch.metadata, resourceVersion } };
    await client.patch(nodeModulesConfig, { ref: { name: key }, patch, fieldManager: FIELD_MANAGER }, signal);
  }
  log.info({ node: key, action: plan.action }, 'node modules changed');
}
