import { HUB_NAMESPACE, type ModuleImage } from '@kmm-hub/api-types';
import { Listr, type ListrTask } from 'listr2';
import type { Kernel } from '../nodes/kernels.ts';
import { newestKernel } from '../nodes/kernels.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { Redis } from '../servers/redis.ts';
import type { Registry } from '../servers/registry.ts';
import { ensureToolkitImage } from '../toolkit/toolkit-image.ts';
import {
  startHubPlane,
  startHubProcesses,
  startServers,
  type WorldContext,
  writeHubConfig,
} from '../world/hub-world.ts';
import {
  acceptCluster,
  startSpokePlane,
  startSpokeProcesses,
  startWorldNode,
  type WorldNode,
} from '../world/spoke-world.ts';
import { applyExample, MODULE } from './example.ts';
import type { NodeRow } from './report.ts';
import type { Steps } from './steps.ts';
import * as verify from './verify.ts';

const SPOKE = 'spoke-a';
const NODE = 'node-a1';
const SERIES = '6.1';

/** What the demo has so far; each step adds to it. */
export type World = {
  hub: ControlPlane;
  spoke: ControlPlane;
  registry: Registry;
  redis: Redis;
  kernel: Kernel;
  node: WorldNode;
  image: ModuleImage;
  works: number;
  rows: NodeRow[];
  report: verify.NodeReport;
};

export type DemoOptions = { context: WorldContext; steps: Steps; keep: boolean; interactive: boolean };

type Work = (world: World, output: (line: string) => void) => Promise<void>;

/** A world of which nothing is there yet: whoever holds it sees how far a failed run came. */
export function emptyWorld(): World {
  return { rows: [], works: 0 } as unknown as World;
}

/** Runs the main job from nothing to the removal; each step has read back what it did. @throws StepFailedError */
export async function runDemo(options: DemoOptions, world: World = emptyWorld()): Promise<World> {
  const { steps, keep, interactive } = options;
  const step = (name: string, work: Work): ListrTask<World> => ({
    title: name,
    task: async (world, task) => {
      await steps.run(name, () => work(world, (line) => (task.output = line)));
      task.title = `${name} (${steps.results.find((result) => result.name === name)?.seconds} s)`;
    },
  });
  const atOnce = (title: string, tasks: ListrTask<World>[]): ListrTask<World> => ({
    title,
    task: (_world, task) => task.newListr(tasks, { concurrent: true, rendererOptions: { collapseSubtasks: false } }),
  });
  const tasks = [
    atOnce(
      'servers',
      serverTasks(options).map(([name, work]) => step(name, work)),
    ),
    atOnce(
      'hub, spoke and node',
      processTasks(options).map(([name, work]) => step(name, work)),
    ),
    ...moduleTasks(options).map(([name, work]) => step(name, work)),
    ...(keep ? [] : removalTasks(options).map(([name, work]) => step(name, work))),
  ];
  const list = new Listr<World>(tasks, {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false, // ours stop the world first
    fallbackRenderer: 'simple',
    fallbackRendererCondition: () => !interactive,
  });
  return list.run(world);
}

function serverTasks({ context }: DemoOptions): [string, Work][] {
  const { signal } = context;
  return [
    [
      'control plane hub',
      async (world) => {
        world.hub = await startHubPlane(context);
      },
    ],
    [
      `control plane ${SPOKE}`,
      async (world) => {
        world.spoke = await startSpokePlane(SPOKE, context);
      },
    ],
    ['registry and Redis', async (world) => void Object.assign(world, await startServers(context))],
    [
      `newest Debian ${SERIES} cloud kernel`,
      async (world, output) => {
        world.kernel = await newestKernel({ series: SERIES, signal, progress: output });
        output(world.kernel.release);
      },
    ],
  ];
}

function processTasks({ context }: DemoOptions): [string, Work][] {
  const { signal } = context;
  return [
    [
      'toolkit image for the kernel, in the registry',
      async ({ kernel, registry }, output) => {
        output(await ensureToolkitImage({ kernel, registryHost: registry.host, signal, progress: output }));
      },
    ],
    [
      'hub and worker',
      async ({ hub, redis, registry }) => {
        await writeHubConfig(hub, registry.host);
        await startHubProcesses(context, { plane: hub, redis });
      },
    ],
    [
      `agents of ${SPOKE}`,
      async ({ hub, spoke }) => {
        await acceptCluster({ hub, spoke }, context);
        await startSpokeProcesses({ hub, spoke }, context);
      },
    ],
    [
      `node ${NODE} boots the kernel`,
      async (world, output) => {
        const { kernel, spoke, registry } = world;
        world.node = await startWorldNode({ name: NODE, kernel, spoke, registryPort: registry.port }, context);
        const release = await world.node.node.probe.release(signal);
        if (release !== kernel.release) throw new RangeError(`the node runs ${release}, not ${kernel.release}`);
        output(release);
      },
    ],
  ];
}

function moduleTasks({ context }: DemoOptions): [string, Work][] {
  const { signal } = context;
  return [
    [
      'kubectl apply of examples/hello-kmod',
      async ({ hub, registry }) => {
        await applyExample(hub, registry.host, context);
        await hub.kubectl(['get', 'managedclustermodule', MODULE]);
        await hub.kubectl([`--namespace=${HUB_NAMESPACE}`, 'get', 'configmap', 'hello-kmod-dockerfile']);
      },
    ],
    [
      'image built, signed and published',
      async (world, output) => {
        world.image = await verify.imagePublished(world.hub, world.kernel.release, { signal });
        const signers = await verify.signersOf(world.image, context);
        if (signers.some((signer) => signer !== MODULE)) throw new RangeError(`signed by ${signers.join(', ')}`);
        output(`${world.image.status?.digest}, signed by ${signers.join(', ')}`);
      },
    ],
    [
      'work, Module, NodeModulesConfig',
      async (world) => {
        const digest = world.image.status?.digest ?? '';
        const { works } = await verify.delivered(world, { node: NODE, digest }, { signal });
        world.works = works.length;
        const builds = world.image.status?.builds ?? 0;
        if (works.length !== 1 || builds !== 1) throw new RangeError(`${works.length} works and ${builds} builds`);
      },
    ],
    [
      'module loaded, read back over the serial probe',
      async (world, output) => {
        const { node } = world.node;
        const says = await verify.loadedOnNode(world.spoke, node, { signal });
        output(says);
        await verify.availableOnHub(world.hub, { signal });
        world.rows.push({
          cluster: SPOKE,
          node: NODE,
          kernel: await node.probe.release(signal),
          secureBoot: await node.probe.secureBoot(signal),
          digest: world.image.status?.digest ?? '',
          state: 'Loaded',
          says,
        });
      },
    ],
    [
      'features, topology and inventory reported',
      async (world, output) => {
        world.report = await verify.reported(world, { node: NODE, kernel: world.kernel.release }, { signal });
        output(`${world.report.features.length} labels, ${world.report.zones.length} NUMA zones`);
      },
    ],
  ];
}

function removalTasks({ context }: DemoOptions): [string, Work][] {
  return [
    [
      'kubectl delete: unloaded, nothing left',
      async (world) => {
        await world.hub.kubectl(['delete', 'managedclustermodule', MODULE, '--wait=false']);
        await verify.gone(world, world.node.node, { signal: context.signal });
      },
    ],
  ];
}
