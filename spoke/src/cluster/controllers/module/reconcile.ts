import { type Module, module as moduleResource, type Resource } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { clusterDefaults, FIELD_MANAGER } from '../../defaults.ts';
import { versionFor } from '../../kubernetes-version.ts';
import { clusterProblem } from '../../module-on-node.ts';
import { permissionsOf } from '../../module-permissions.ts';
import type { ModuleDeps } from './deps.ts';
import { type ModulePlan, planModule } from './plan.ts';

const resource = moduleResource as Resource<Module>;

/** `key` is `namespace/name` of a Module. Its status is written even when its finalizers cannot be. */
export async function reconcileModule(deps: ModuleDeps, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const module = deps.modules.get(key);
  if (module === undefined) return undefined;
  const loads = module.spec.moduleLoader !== undefined;
  const mayLoad = !loads || (await permissionsOf([module], deps, signal))(module);
  const kubernetesVersion = await versionFor([module], deps, signal);
  const plan = planModule({
    module,
    nodes: deps.nodes.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    configOf: (nodeName) => deps.configs.get(nodeName),
    mayLoad,
    kubernetesVersion,
    operatorNamespace: deps.operatorNamespace,
  });
  try {
    await writeFinalizers(deps, { module, plan }, signal);
  } finally {
    await writeStatus(deps, { module, plan }, signal);
  }
  const settled = mayLoad && clusterProblem(module, kubernetesVersion) === undefined;
  return settled ? undefined : { requeueAfterMs: clusterDefaults.answerLifetimeMs };
}

type Write = { module: Module; plan: ModulePlan };

async function writeFinalizers({ client, log }: ModuleDeps, { module, plan }: Write, signal: AbortSignal) {
  if (plan.finalizers === undefined) return;
  const { namespace = '', name, resourceVersion } = module.metadata;
  const patch = { metadata: { resourceVersion, finalizers: plan.finalizers } };
  await client.patch(resource, { ref: { namespace, name }, patch, fieldManager: FIELD_MANAGER }, signal);
  log.info({ module: `${namespace}/${name}`, finalizers: plan.finalizers }, 'finalizers changed');
}

async function writeStatus({ client, events, log }: ModuleDeps, { module, plan }: Write, signal: AbortSignal) {
  const { namespace = '', name } = module.metadata;
  if (plan.status !== undefined) {
    const patch = { ref: { namespace, name }, patch: { status: plan.status }, fieldManager: FIELD_MANAGER };
    await client.patch(resource, { ...patch, subresource: 'status' }, signal);
    log.info(
      { module: `${namespace}/${name}`, ...plan.status.moduleLoader, ...plan.newProblem },
      'module status changed',
    );
  }
  if (plan.newProblem === undefined) return;
  const { reason, message } = plan.newProblem;
  await events.record({ resource, object: module, type: 'Warning', reason, message }, signal);
}
