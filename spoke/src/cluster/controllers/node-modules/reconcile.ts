import {
  type Module,
  type Node,
  type NodeModulesConfig,
  nodeModulesConfig,
  node as nodeResource,
} from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { clusterDefaults, FIELD_MANAGER } from '../../defaults.ts';
import { versionFor } from '../../kubernetes-version.ts';
import { clusterProblem, isSelected } from '../../module-on-node.ts';
import { permissionsOf } from '../../module-permissions.ts';
import type { NodeModulesDeps } from './deps.ts';
import { planLoadNews } from './load-news.ts';
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
    deps.sights.delete(key);
    if (current !== undefined) await writeConfig(deps, { key, plan: { action: 'delete' } }, signal);
    return undefined;
  }
  const selected = modules.list().filter((module) => isSelected(module, node));
  const mayLoad = await permissionsOf(selected, deps, signal);
  const kubernetesVersion = await versionFor(selected, deps, signal);
  const { operatorNamespace } = deps;
  const plan = planNodeModules({ node, modules: selected, current, mayLoad, kubernetesVersion, operatorNamespace });
  await writeConfig(deps, { key, plan: plan.config }, signal);
  if (Object.keys(plan.nodeLabels).length > 0) {
    const metadata = { uid: node.metadata.uid, labels: plan.nodeLabels };
    const patch = { ref: { name: key }, patch: { metadata }, fieldManager: FIELD_MANAGER };
    await deps.client.patch(nodeResource, patch, signal);
    deps.log.info({ node: key, labels: plan.nodeLabels }, 'ready labels changed');
  }
  await tellNews(deps, { node, current }, signal);
  // nobody tells when a Role is granted or the cluster is upgraded
  const isTaken = (module: Module) => mayLoad(module) && clusterProblem(module, kubernetesVersion) === undefined;
  return selected.every(isTaken) ? undefined : { requeueAfterMs: clusterDefaults.answerLifetimeMs };
}

/** After the ready labels are written: what fails before is done again, and told then. */
async function tellNews(
  { events, sights }: NodeModulesDeps,
  { node, current }: { node: Node; current: NodeModulesConfig | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { name } = node.metadata;
  const { sight, news } = planLoadNews(node, current, sights.get(name));
  sights.set(name, sight);
  for (const told of news) {
    await events.record({ resource: nodeResource, object: node, type: 'Normal', ...told }, signal);
  }
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
