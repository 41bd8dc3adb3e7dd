import {
  type Condition,
  type ManagedClusterModule,
  type ModuleImage,
  managedClusterModule,
  module as modules,
  nodeModulesConfig,
  node as nodes,
  type Resource,
  SPOKE_NAMESPACE,
} from '@kmm-hub/api-types';
import type { DemoModule } from '../demo/modules.ts';
import { Unexpected } from '../demo/read-back.ts';
import { imagesOf } from '../demo/verify-images.ts';
import { worksOf } from '../demo/verify-module.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { FleetNode, World } from '../world/world.ts';

/** What a rolled-out module is like everywhere, without what is of one round alone: its names, digests, times and counts. */
export type EndState = { hub: unknown; spokes: unknown[]; nodes: unknown[] };

/** Reads API servers and kernels. @throws Unexpected as long as there is too little to compare. */
export async function endState(world: World, module: DemoModule, signal: AbortSignal): Promise<EndState> {
  const images = await imagesOf(world.hub, module, signal);
  const state = {
    hub: await hubState(world.hub, { module, images }, signal),
    spokes: await Promise.all(world.spokes.map((spoke) => spokeState(spoke, module, signal))),
    nodes: await Promise.all(world.nodes.map((node) => nodeState(node, module, signal))),
  };
  return timeless(state, [
    ...images.map(({ spec, status }) => [status?.digest, `<digest for ${spec.kernelVersion}>`] as const),
    [module.name, '<module>'],
    [module.kernelModule, '<kernel module>'],
  ]);
}

async function hubState(
  hub: ControlPlane,
  { module, images }: { module: DemoModule; images: readonly ModuleImage[] },
  signal: AbortSignal,
) {
  const resource = managedClusterModule as Resource<ManagedClusterModule>;
  const { status } = await hub.client.get(resource, { name: module.name }, signal);
  const works = await worksOf(hub, module, signal);
  return {
    module: status,
    images: images.map(imageState).sort((a, b) => (a.kernel < b.kernel ? -1 : 1)),
    works: works.map(({ metadata, spec, status: reported }) => ({
      cluster: metadata.namespace,
      spec,
      conditions: reported?.conditions?.map(conditionState),
    })),
  };
}

function imageState({ spec, status }: ModuleImage) {
  const signed = status?.signedFiles?.map(({ path }) => path);
  return { kernel: spec.kernelVersion, image: spec.image, phase: status?.phase, digest: status?.digest, signed };
}

/** A message may tell how it came, e.g. that an image was found in the registry after all. */
function conditionState({ type, status, reason }: Condition) {
  return { type, status, reason };
}

async function spokeState({ name, client }: ControlPlane, module: DemoModule, signal: AbortSignal) {
  const ref = { namespace: SPOKE_NAMESPACE, name: module.name };
  const { spec, status } = await client.get(modules, ref, signal);
  return { name, spec, status };
}

async function nodeState({ spoke: { client }, node, plan }: FleetNode, module: DemoModule, signal: AbortSignal) {
  const { spec, status } = await client.get(nodeModulesConfig, { name: plan.name }, signal);
  const { metadata } = await client.get(nodes, { name: plan.name }, signal);
  const loaded = (await node.probe.modules(signal)).find(({ name }) => name === module.kernelModule);
  if (loaded?.state !== 'Live') throw new Unexpected(`${module.kernelModule} is not in the kernel of ${plan.name}`);
  return {
    ...{ name: plan.name, spec, status, labels: metadata.labels, taints: loaded.taints },
    parameters: await node.probe.parameters(module.kernelModule, signal),
  };
}

/** Differ from round to round although the end is the same: generations count how many steps led to it. */
const OF_ONE_ROUND = new Set(['lastTransitionTime', 'observedGeneration', 'bootId']);

function timeless(state: EndState, names: readonly (readonly [string | undefined, string])[]): EndState {
  let text = JSON.stringify(state, (key, value) => (OF_ONE_ROUND.has(key) ? undefined : value));
  for (const [name, placeholder] of names) if (name !== undefined) text = text.replaceAll(name, placeholder);
  return JSON.parse(text) as EndState;
}
