import {
  type Condition,
  MANAGED_CLUSTER_MODULE_LABEL,
  type ManagedClusterModule,
  type ManifestWork,
  managedClusterModule,
  manifestWork,
  module as modules,
  type NodeModulesConfig,
  nodeModulesConfig,
  type Resource,
  SPOKE_NAMESPACE,
} from '@kmm-hub/api-types';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { FleetNode } from '../world/world.ts';
import { type DemoModule, greetingOf } from './modules.ts';
import { readBack, Unexpected } from './read-back.ts';

/** What the ManagedClusterModule says of itself, for the error of a step that waits for something behind it. */
export async function statusMessage(hub: ControlPlane, module: DemoModule, signal: AbortSignal): Promise<string> {
  const available = conditionIn(await moduleOnHub(hub, module, signal), 'Available');
  return available?.message ?? `${module.name} has no status yet`;
}

/** Waits until a condition of the ManagedClusterModule is True; gives its reason and message. */
export function moduleIs(
  hub: ControlPlane,
  { module, type }: { module: DemoModule; type: 'Available' | 'Degraded' },
  signal: AbortSignal,
): Promise<Condition> {
  const check = async (limit: AbortSignal) => {
    const condition = conditionIn(await moduleOnHub(hub, module, limit), type);
    if (condition?.status === 'True') return condition;
    throw new Unexpected(await statusMessage(hub, module, limit));
  };
  return readBack(`${type} of ${module.name}`, check, signal);
}

export function moduleOnHub({ client }: ControlPlane, { name }: DemoModule, signal: AbortSignal) {
  return client.getIfPresent(managedClusterModule as Resource<ManagedClusterModule>, { name }, signal);
}

function conditionIn(module: ManagedClusterModule | undefined, type: string): Condition | undefined {
  return module?.status?.conditions?.find((condition) => condition.type === type);
}

/** The works of a module, on all clusters. */
export async function worksOf(
  { client }: ControlPlane,
  { name }: DemoModule,
  signal: AbortSignal,
): Promise<ManifestWork[]> {
  const labelSelector = `${MANAGED_CLUSTER_MODULE_LABEL}=${name}`;
  return (await client.list(manifestWork as Resource<ManifestWork>, { labelSelector }, signal)).items;
}

export type Delivery = { module: DemoModule; node: FleetNode; digest: string };

/** Waits until work, Module and NodeModulesConfig of a node all carry the digest. */
export async function delivered(
  hub: ControlPlane,
  { module, node, digest }: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const { spoke, plan } = node;
  const check = async (limit: AbortSignal) => {
    const works = (await worksOf(hub, module, limit)).filter(({ metadata }) => metadata.namespace === spoke.name);
    if (!JSON.stringify(works).includes(digest)) throw new Unexpected(await statusMessage(hub, module, limit));
    const ref = { namespace: SPOKE_NAMESPACE, name: module.name };
    const applied = await spoke.client.getIfPresent(modules, ref, limit);
    if (applied === undefined) throw new Unexpected('the Module is not on the spoke yet');
    const config = await configOf(node, limit);
    const wanted = config?.spec?.modules?.find(({ name }) => name === module.name);
    if (wanted?.config.containerImage.includes(digest)) return true;
    throw new Unexpected(applied.status?.degraded?.message ?? `${plan.name} is to load nothing yet`);
  };
  await readBack(`work, Module and NodeModulesConfig of ${plan.name}`, check, signal);
}

function configOf({ spoke, plan }: FleetNode, signal: AbortSignal): Promise<NodeModulesConfig | undefined> {
  return spoke.client.getIfPresent(nodeModulesConfig, { name: plan.name }, signal);
}

/** Waits until the node's kernel itself has the module and has printed its word; read over the serial probe. */
export function loaded({ module, node }: Omit<Delivery, 'digest'>, signal: AbortSignal): Promise<string> {
  const { probe, name } = node.node;
  const check = async (limit: AbortSignal) => {
    const live = (await probe.modules(limit)).find((entry) => entry.name === module.kernelModule)?.state === 'Live';
    if (!live) throw new Unexpected(await reasonOnNode(node, module, limit));
    const line = (await probe.kernelLog(limit)).findLast((text) => text.includes(`${module.kernelModule}:`));
    if (!line?.includes(greetingOf(module))) throw new Unexpected(`the kernel log says ${line ?? 'nothing of it'}`);
    return line.slice(line.indexOf(module.kernelModule));
  };
  return readBack(`${module.kernelModule} in the kernel of ${name}`, check, signal);
}

async function reasonOnNode(node: FleetNode, module: DemoModule, signal: AbortSignal): Promise<string> {
  const entry = (await configOf(node, signal))?.status?.modules?.find(({ name }) => name === module.name);
  return entry?.error?.message ?? 'not in /proc/modules';
}
