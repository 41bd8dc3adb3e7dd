import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Condition, managedCluster, nodeModulesConfig } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { applyLikeHello, type DemoModule } from '../demo/modules.ts';
import { readBack } from '../demo/read-back.ts';
import { imagesOf } from '../demo/verify-images.ts';
import { loaded, moduleIs, moduleOnHub, worksOf } from '../demo/verify-module.ts';
import { AVAILABLE } from '../ocm/lease-plan.ts';
import type { FleetNode, World } from '../world/world.ts';
import { buildsBegun } from './builds.ts';
import { endState } from './end-state.ts';
import { bootsOf, isLoadedOnce } from './kernel-history.ts';

/** A world that runs and a module that is on all of its nodes; both stay so. */
export type Stage = { world: World; module: DemoModule; signal: AbortSignal };

const A_MINUTE_MS = 60_000;

/** Rolls a module out and waits until it is on every node and the hub knows it. */
export async function rollOut({ world, module, signal }: Stage): Promise<void> {
  await applyLikeHello(world, module);
  await Promise.all(world.nodes.map((node) => loaded({ module, node }, signal)));
  await moduleIs(world.hub, { module, type: 'Available' }, signal);
}

/**
 * The registry is away for a minute, in which another module is applied. Gives what the hub told of it meanwhile, and how often
 * each of its images was built in the end.
 */
export async function registryAway(
  { world, module, signal }: Stage,
  late: DemoModule,
): Promise<{ told: Condition; builds: number[] }> {
  const { process } = world.registry;
  await process.kill9();
  const since = performance.now();
  await applyLikeHello(world, late);
  const told = await moduleIs(world.hub, { module: late, type: 'Degraded' }, signal);
  await sleep(Math.max(0, since + A_MINUTE_MS - performance.now()), undefined, { signal });
  await Promise.all(world.nodes.map((node) => expectKept({ module, node })));
  await process.restart(signal);
  await rollOut({ world, module: late, signal });
  const begun = await buildsBegun(world.process('worker'));
  const images = await imagesOf(world.hub, late, signal);
  return { told, builds: images.map(({ metadata: { name = '' } }) => begun.get(name) ?? 0) };
}

/**
 * The hub is away, with all that is its own: API server, processes, Redis, registry. One node loses its power and another
 * restarts in order: both load the module from what they have. Then the hub comes back to what it left.
 */
export async function hubAway({ world, module, signal }: Stage, cut: FleetNode, rebooted: FleetNode): Promise<void> {
  const before = await endState(world, module, signal);
  const did = await doneByHub({ world, module, signal });
  const apiServer = world.hub.component('kube-apiserver');
  const parts = [apiServer, world.redis.process, world.registry.process, world.process('hub'), world.process('worker')];
  for (const part of parts) await part.kill9();
  await Promise.all([
    cut.node.powerCut().then(() => cut.node.powerOn({ signal })), //
    rebooted.node.reboot({ signal }),
  ]);
  await Promise.all([cut, rebooted].map((node) => loadedByNewBoot({ module, node }, signal)));
  for (const part of parts) await part.restart(signal);
  const check = async (limit: AbortSignal) => {
    assert.deepEqual(await endState(world, module, limit), before);
    return true;
  };
  await readBack('what the hub left, now that it is back', check, signal);
  assert.deepEqual(await doneByHub({ world, module, signal }), did);
}

/** Generations of the works count what was written to them. */
async function doneByHub({ world, module, signal }: Stage) {
  const works = await worksOf(world.hub, module, signal);
  const builds = [...(await buildsBegun(world.process('worker')))];
  return { builds, works: works.map(({ metadata }) => [metadata.namespace, metadata.uid, metadata.generation]) };
}

/** The kernel has it, and the spoke's own API server knows that it is of this start. */
async function loadedByNewBoot({ module, node }: { module: DemoModule; node: FleetNode }, signal: AbortSignal) {
  await loaded({ module, node }, signal);
  const bootId = (await node.node.probe.bootId(signal)).trim();
  const check = async (limit: AbortSignal) => {
    const { status } = await node.spoke.client.get(nodeModulesConfig, { name: node.plan.name }, limit);
    assert.equal(status?.modules?.find(({ name }) => name === module.name)?.bootId, bootId);
    return true;
  };
  await readBack(`the new start of ${node.plan.name} in its NodeModulesConfig`, check, signal);
}

/**
 * A cluster is cut off until the hub calls it Unknown; then the module changes what it says. The other clusters follow, and the
 * one that is cut off keeps what it has until it hears of it. Gives what the hub told meanwhile.
 */
export async function spokeCutOff({ world, module, signal }: Stage, cluster: string): Promise<Condition> {
  const [lost, others] = [true, false].map((isLost) =>
    world.nodes.filter(({ spoke }) => (spoke.name === cluster) === isLost),
  ) as [FleetNode[], FleetNode[]];
  const link = world.link(cluster);
  link.cut();
  await clusterIs({ world, signal }, cluster, 'Unknown');
  await applyLikeHello(world, module, 'hello-again');
  await Promise.all(others.map((node) => says({ module, node }, 'hello-again', signal)));
  const told = await moduleTells({ world, module, signal }, cluster);
  await Promise.all(lost.map((node) => says({ module, node }, 'hello-from-the-hub', signal)));
  await Promise.all(lost.map((node) => expectKept({ module, node })));
  link.mend();
  await Promise.all(lost.map((node) => says({ module, node }, 'hello-again', signal)));
  await clusterIs({ world, signal }, cluster, 'True');
  await moduleIs(world.hub, { module, type: 'Available' }, signal);
  return told;
}

async function clusterIs(
  { world, signal }: Pick<Stage, 'world' | 'signal'>,
  name: string,
  status: Condition['status'],
): Promise<void> {
  const check = async (limit: AbortSignal) => {
    const cluster = await world.hub.client.get(managedCluster, { name }, limit);
    assert.equal(conditionOf(cluster.status?.conditions, AVAILABLE)?.status, status);
    return true;
  };
  await readBack(`${AVAILABLE} ${status} of ${name}`, check, signal);
}

/** What keeps the module from being Available, once it is about this cluster. */
async function moduleTells({ world, module, signal }: Stage, cluster: string): Promise<Condition> {
  const check = async (limit: AbortSignal) => {
    const status = (await moduleOnHub(world.hub, module, limit))?.status;
    assert.deepEqual(
      status?.worstClusters?.map(({ name }) => name),
      [cluster],
    );
    const available = conditionOf(status?.conditions, 'Available');
    assert.equal(available?.status, 'False');
    return available;
  };
  return readBack(`${module.name} waits for ${cluster}`, check, signal);
}

async function says(
  { module, node }: { module: DemoModule; node: FleetNode },
  greeting: string,
  signal: AbortSignal,
): Promise<void> {
  const check = async (limit: AbortSignal) => {
    assert.deepEqual(await node.node.probe.parameters(module.kernelModule, limit), { greeting });
    return true;
  };
  await readBack(`"${greeting}" in the kernel of ${node.plan.name}`, check, signal);
}

async function expectKept({ module, node }: { module: DemoModule; node: FleetNode }): Promise<void> {
  const boots = await bootsOf(node.node, module);
  if (!isLoadedOnce(boots)) assert.fail(`${module.name} was not kept on ${node.plan.name}: ${JSON.stringify(boots)}`);
}
