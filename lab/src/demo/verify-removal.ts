import {
  appliedManifestWork,
  type KubeObject,
  managedClusterModule,
  manifestWork,
  module,
  moduleImage,
  nodeModulesConfig,
  node as nodes,
  type Resource,
} from '@kmm-hub/api-types';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { FleetNode, World } from '../world/world.ts';
import type { DemoModule } from './modules.ts';
import { readBack, Unexpected } from './read-back.ts';

const ON_HUB = [managedClusterModule, moduleImage, manifestWork];
const ON_SPOKE = [module, appliedManifestWork];
/** Where the node agent writes down what it is about to load. */
const INTENTS = '/var/lib/kmm/intents';
/** Where it keeps what it pulled. */
const IMAGES = '/var/lib/kmm/images';

/** Waits until nothing of the modules is left: in the nodes' kernels and on their disks, on the spokes, on the hub. */
export async function gone(world: World, modules: readonly DemoModule[], signal: AbortSignal): Promise<void> {
  const check = async (limit: AbortSignal) => {
    const places = [
      objectsOf(world.hub, ON_HUB, limit),
      ...world.spokes.map((spoke) => objectsOf(spoke, ON_SPOKE, limit)),
      ...world.nodes.flatMap((node) => [inKernel(node, modules, limit), keptFor(node, modules, limit)]),
    ];
    const left = (await Promise.all(places)).flat();
    if (left.length > 0) throw new Unexpected(`still there: ${left.join(', ')}`);
    return true;
  };
  await readBack('the end of all modules', check, signal);
}

async function objectsOf(
  { name: place, client }: ControlPlane,
  kinds: readonly Resource<KubeObject>[],
  signal: AbortSignal,
): Promise<string[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await client.list(kind, {}, signal);
      return items.map(({ metadata }) => `${kind.kind} ${metadata.name} on ${place}`);
    }),
  );
  return lists.flat();
}

async function inKernel({ node }: FleetNode, modules: readonly DemoModule[], signal: AbortSignal): Promise<string[]> {
  const names = modules.map(({ kernelModule }) => kernelModule);
  const live = (await node.probe.modules(signal)).filter(({ name }) => names.includes(name));
  const intents = await node.probe.list(INTENTS, signal);
  const images = (await node.probe.list(IMAGES, signal)).filter((path) => path !== 'manifests'); // a folder that stays
  return [
    ...live.map(({ name }) => `${name} in the kernel of ${node.name}`),
    ...[...intents, ...images].map((file) => `${file} on the disk of ${node.name}`),
  ];
}

/** What the cluster keeps for a node: its NodeModulesConfig and the labels of its Node. */
async function keptFor(
  { spoke: { client }, plan: { name } }: FleetNode,
  modules: readonly DemoModule[],
  signal: AbortSignal,
): Promise<string[]> {
  const config = await client.getIfPresent(nodeModulesConfig, { name }, signal);
  const entries = (config?.spec?.modules?.length ?? 0) + (config?.status?.modules?.length ?? 0);
  const labels = Object.keys((await client.get(nodes, { name }, signal)).metadata.labels ?? {});
  const ours = labels.filter((label) => modules.some((entry) => label.includes(entry.name)));
  return [...(entries > 0 ? [`NodeModulesConfig ${name}`] : []), ...ours.map((label) => `label ${label} on ${name}`)];
}
