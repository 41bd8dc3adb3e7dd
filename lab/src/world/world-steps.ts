import { newestKernel } from '../nodes/kernels.ts';
import { ensureToolkitImage } from '../toolkit/toolkit-image.ts';
import {
  startHubPlane,
  startHubProcesses,
  startLeaseController,
  startServers,
  type WorldContext,
  writeHubConfig,
} from './hub-world.ts';
import { makeSigningPair } from './signing-pair.ts';
import { acceptCluster, startLink, startSpokePlane, startSpokeProcesses, startWorldNode } from './spoke-world.ts';
import type { ClusterPlan, NodePlan, World } from './world.ts';

/** One thing to do, named as a person reads it. `tell` shows how far it is; the last line told is what was read back. */
export type Step = { name: string; run: (tell: (line: string) => void) => Promise<void> };

/** Steps, or phases again, one after the other or all at once. */
export type Phase = { title: string; atOnce: boolean; parts: readonly (Step | Phase)[] };

const SIGNER = 'kmm-hub demo';

/** What starts a world: first what stands alone, then what needs it. Whoever runs the steps decides how to show them. */
export function worldPhases(world: World, context: WorldContext): Phase[] {
  const clusters = world.plan.map(({ name }) => name);
  const nodes = world.plan.flatMap((cluster) => cluster.nodes.map((plan) => ({ cluster: cluster.name, plan })));
  return [
    {
      title: 'servers',
      atOnce: true,
      parts: [
        hubPlane(world, context),
        ...clusters.map((name) => spokePlane(world, name, context)),
        servers(world, context),
        kernels(world, context),
        signingPair(world, context),
      ],
    },
    {
      title: 'hub, spokes and nodes',
      atOnce: true,
      parts: [
        ...world.series.map((series) => toolkit(world, series, context)),
        hubProcesses(world, context),
        ...world.plan.map((cluster) => spokeProcesses(world, cluster, context)),
        ...nodes.map((node) => boot(world, node, context)),
      ],
    },
  ];
}

function hubPlane(world: World, context: WorldContext): Step {
  const run = async () => {
    world.hub = await startHubPlane(context);
    startLeaseController(world.hub, context);
  };
  return { name: 'control plane hub', run };
}

function spokePlane(world: World, cluster: string, context: WorldContext): Step {
  const run = async () => {
    world.addSpoke(await startSpokePlane(cluster, context));
  };
  return { name: `control plane ${cluster}`, run };
}

function servers(world: World, context: WorldContext): Step {
  const run = async () => {
    Object.assign(world, await startServers(context));
  };
  return { name: 'registry and Redis', run };
}

/** One after the other: two of apt at once are in each other's way. */
function kernels(world: World, { signal }: WorldContext): Step {
  const run: Step['run'] = async (tell) => {
    for (const series of world.series) {
      world.addKernel(series, await newestKernel({ series, signal, progress: tell }));
    }
    tell(world.series.map((series) => world.kernel(series).release).join(', '));
  };
  return { name: `newest Debian cloud kernels of ${world.series.join(' and ')}`, run };
}

function signingPair(world: World, context: WorldContext): Step {
  const run = async () => {
    world.signing = await makeSigningPair(SIGNER, context);
  };
  return { name: 'signing key and certificate', run };
}

function toolkit(world: World, series: string, { signal }: WorldContext): Step {
  const run: Step['run'] = async (tell) => {
    const registryHost = world.registry.host;
    tell(await ensureToolkitImage({ kernel: world.kernel(series), registryHost, signal, progress: tell }));
  };
  return { name: `toolkit image for ${series}, in the registry`, run };
}

function hubProcesses(world: World, context: WorldContext): Step {
  const run = async () => {
    await writeHubConfig(world.hub, world.registry.host);
    world.addProcesses(...(await startHubProcesses(context, { plane: world.hub, redis: world.redis })));
  };
  return { name: 'hub and worker', run };
}

function spokeProcesses(world: World, cluster: ClusterPlan, context: WorldContext): Step {
  const { name } = cluster;
  const run = async () => {
    const planes = { hub: world.hub, spoke: world.spoke(name) };
    await acceptCluster(planes, cluster, context);
    const link = await startLink(planes, context);
    world.addLink(name, link);
    world.addProcesses(...(await startSpokeProcesses({ ...planes, link }, context)));
  };
  return { name: `agents of ${name}`, run };
}

function boot(world: World, { cluster, plan }: { cluster: string; plan: NodePlan }, context: WorldContext): Step {
  const run: Step['run'] = async (tell) => {
    const kernel = world.kernel(plan.series);
    const started = await startWorldNode(
      {
        name: plan.name,
        cpus: plan.cpus,
        kernel,
        spoke: world.spoke(cluster),
        registryPort: world.registry.port,
        ...(plan.secureBoot && { trustedCertificates: [world.signing.certificate] }),
      },
      context,
    );
    world.addNode(started);
    const { probe } = started.node;
    const [release, secureBoot] = [await probe.release(context.signal), await probe.secureBoot(context.signal)];
    if (release !== kernel.release) throw new RangeError(`the node runs ${release}, not ${kernel.release}`);
    if (secureBoot !== plan.secureBoot) throw new RangeError(`the firmware says that Secure Boot is ${secureBoot}`);
    tell(release);
  };
  return { name: `node ${plan.name} boots ${plan.series}${plan.secureBoot ? ' under Secure Boot' : ''}`, run };
}
