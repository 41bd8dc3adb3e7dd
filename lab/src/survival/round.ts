import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModuleImage } from '@kmm-hub/api-types';
import { parseReference } from '@kmm-hub/oci';
import { applyLikeHello, type DemoModule } from '../demo/modules.ts';
import { readBack } from '../demo/read-back.ts';
import { imagesOf } from '../demo/verify-images.ts';
import { gone } from '../demo/verify-removal.ts';
import type { World } from '../world/world.ts';
import { buildsBegun } from './builds.ts';
import { type EndState, endState } from './end-state.ts';
import { type Boot, bootsOf, isLoadedOnce, isUnloadedOnce } from './kernel-history.ts';
import type { RoundPlan } from './plan-rounds.ts';
import { agentVictimName, type Victim } from './victims.ts';

/** One module, rolled out to the whole fleet and removed from it. */
export type Round = { world: World; module: DemoModule; signal: AbortSignal };

/** A round that nothing disturbed: what the end is to be, and how long each phase takes. */
export type Reference = { state: EndState; phaseMs: Record<RoundPlan['phase'], number> };

/** Beyond one for each image. */
export type RoundResult = { repeatedBuilds: number; seconds: number };

/** When the undisturbed module is everywhere: two readings, one after the other, that are the same. */
export async function undisturbedRound(round: Round): Promise<Reference> {
  const { world, module, signal } = round;
  const rolloutStarted = performance.now();
  await applyLikeHello(world, module);
  let last: EndState | undefined;
  const check = async (limit: AbortSignal) => {
    const before = last;
    last = await endState(world, module, limit);
    assert.equal((last.hub as { module: { nodesAvailable: number } }).module.nodesAvailable, world.nodes.length);
    assert.deepEqual(last, before);
    return last;
  };
  const state = await readBack(`${module.name} on all nodes`, check, signal);
  const images = await imagesOf(world.hub, module, signal);
  const removalStarted = performance.now();
  await remove(round);
  await expectHistory(round, { images, mayRepeatBuilds: false });
  const ended = performance.now();
  return { state, phaseMs: { rollout: removalStarted - rolloutStarted, removal: ended - removalStarted } };
}

/**
 * The same with one part killed. The end must equal the undisturbed one, in all API servers and kernels, and the way there
 * must not show: no tag has changed, nothing was loaded twice or lost, no build was made more often than the kill explains.
 */
export async function disturbedRound(
  round: Round,
  { plan, victim, reference }: { plan: RoundPlan; victim: Victim; reference: Reference },
): Promise<RoundResult> {
  const { world, module, signal } = round;
  const started = performance.now();
  const agentEnds = await agentEndsOf(world);
  const blow = async (phase: RoundPlan['phase']) => {
    if (plan.phase === phase) await strike(victim, { plan, phaseMs: reference.phaseMs[phase] }, signal);
  };
  await applyLikeHello(world, module);
  await blow('rollout');
  const check = async (limit: AbortSignal) => {
    assert.deepEqual(await endState(world, module, limit), reference.state);
    return imagesOf(world.hub, module, limit);
  };
  const images = await readBack(`${module.name} on all nodes as in the undisturbed round`, check, signal);
  await expectBoots(round, { what: 'loaded once', holds: isLoadedOnce });
  await remove(round, () => blow('removal'));
  const repeatedBuilds = await expectHistory(round, { images, mayRepeatBuilds: victim.mayRepeatBuilds });
  await expectRunning(world, { agentEnds, victim });
  return { repeatedBuilds, seconds: Math.round((performance.now() - started) / 100) / 10 };
}

async function strike(
  victim: Victim,
  { plan, phaseMs }: { plan: RoundPlan; phaseMs: number },
  signal: AbortSignal,
): Promise<void> {
  await sleep(plan.at * phaseMs, undefined, { signal });
  await victim.kill(signal);
  await sleep(plan.downMs, undefined, { signal });
  await victim.revive(signal);
}

async function remove({ world, module, signal }: Round, meanwhile?: () => Promise<void>): Promise<void> {
  await world.hub.kubectl(['delete', 'managedclustermodule', module.name, '--wait=false']);
  await meanwhile?.();
  await gone(world, [module], signal);
}

/** Once the round is over: what is late is seen too. Gives the number of repeated builds. */
async function expectHistory(
  round: Round,
  { images, mayRepeatBuilds }: { images: readonly ModuleImage[] } & Pick<Victim, 'mayRepeatBuilds'>,
): Promise<number> {
  const { world } = round;
  assert.equal(images.length, world.series.length, 'images');
  for (const { spec, status } of images) {
    const { path, tag = '' } = parseReference(spec.image);
    assert.deepEqual(await world.registry.tagHistory(path, tag), [status?.digest], `digests of ${spec.image}`);
  }
  await expectBoots(round, { what: 'unloaded once', holds: isUnloadedOnce });
  const begun = await buildsBegun(world.process('worker'));
  const counts = images.map(({ metadata: { name = '' } }) => begun.get(name) ?? 0);
  const most = mayRepeatBuilds ? 2 : 1;
  if (counts.some((count) => count < 1 || count > most)) assert.fail(`images were built ${counts.join(' and ')} times`);
  return counts.reduce((sum, count) => sum + count - 1, 0);
}

async function expectBoots(
  { world, module }: Round,
  { what, holds }: { what: string; holds: (boots: readonly Boot[]) => boolean },
): Promise<void> {
  for (const { node } of world.nodes) {
    const boots = await bootsOf(node, module);
    const ofRound = boots.slice(
      Math.max(
        0,
        boots.findIndex((boot) => boot.length > 0),
      ),
    );
    if (!holds(ofRound)) assert.fail(`${module.kernelModule} on ${node.name} is not ${what}: ${JSON.stringify(boots)}`);
  }
}

/** Who is not killed is to go on, whatever happens to the others. `agentEnds`: as they were before the round. */
async function expectRunning(
  world: World,
  { agentEnds, victim }: { agentEnds: ReadonlyMap<string, number>; victim: Victim },
): Promise<void> {
  const planes = [world.hub, ...world.spokes].map((plane) => plane.component('kube-apiserver'));
  const parts = [...world.processes, world.redis.process, world.registry.process, ...planes];
  const ended = parts.filter((part) => part.ended !== undefined).map(({ name }) => name);
  for (const [node, ends] of await agentEndsOf(world)) {
    const wanted = (agentEnds.get(node) ?? 0) + (victim.name === agentVictimName(node) ? 1 : 0);
    if (ends > wanted) ended.push(`agent of ${node}`);
  }
  assert.deepEqual(ended, [], 'parts that ended by themselves');
}

/** How often the agent of each node has ended; what starts it again says so on the serial console. */
async function agentEndsOf({ nodes }: World): Promise<Map<string, number>> {
  const ends = nodes.map(async ({ node }) => {
    const text = await readFile(node.logFile, 'utf8');
    return [node.name, text.split('kmm-lab: the agent ended with code').length - 1] as const;
  });
  return new Map(await Promise.all(ends));
}
