import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSigningSecrets, type DemoModule } from '../src/demo/modules.ts';
import { gone } from '../src/demo/verify-removal.ts';
import { Disposables } from '../src/host/disposables.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { runKillCampaign } from '../src/survival/campaign.ts';
import { SURVIVAL_FLEET } from '../src/survival/fleet.ts';
import { hubAway, registryAway, rollOut, type Stage, spokeCutOff } from '../src/survival/outages.ts';
import { roundText } from '../src/survival/report.ts';
import { victimsOf } from '../src/survival/victims.ts';
import { startWorld } from '../src/world/start-world.ts';
import type { World } from '../src/world/world.ts';

/** A world takes half a minute to start, a scene one to two, on an idle machine of two cores; this only bounds what hangs. */
const LIMIT_MS = 1_500_000;
/** `npm run test:faults` plays 20. */
const ROUNDS = 3;

const { signal } = new AbortController();
const disposables = new Disposables();
let folder: string;
let world: World;

beforeAll(async () => {
  folder = await runFolder('test-survival');
  world = await startWorld(SURVIVAL_FLEET, { context: { folder, disposables, signal } });
  await createSigningSecrets(world);
}, LIMIT_MS);
afterAll(async () => {
  await disposables.stopAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, LIMIT_MS);

/** Also a scene that failed in the middle leaves nothing down for the next one. */
afterEach(async () => {
  for (const { name } of world.spokes) world.link(name).mend();
  for (const victim of victimsOf(world)) await victim.revive(signal);
}, LIMIT_MS);

test('whichever part is killed at whichever moment, the end is as if nothing had been', {
  timeout: LIMIT_MS,
}, async () => {
  const seed = Date.now() % 2 ** 32;
  process.stdout.write(`seed of the kill campaign: ${seed}\n`);
  await empty(); // of a first try that failed
  let last = 'the undisturbed round';
  const results = await runKillCampaign(world, {
    ...{ seed, rounds: ROUNDS, signal },
    onRound: (round, plan) => {
      last = roundText(round, plan);
      process.stdout.write(`${last}\n`);
    },
  }).catch((cause: unknown) => {
    // `npm run test:faults -- --minutes 0 --seed` draws the same again
    throw new Error(`seed ${seed}, ${last}`, { cause });
  });
  expect(results).toHaveLength(ROUNDS);
});

test('a registry that is away for a minute is told, hurts no node that runs, and costs no build', {
  timeout: LIMIT_MS,
}, async () => {
  const late = newModule('late');
  const { told, builds } = await registryAway(await steady(), late);
  expect(told).toMatchObject({ reason: 'RegistryUnreachable', message: expect.stringContaining(world.registry.host) });
  expect(builds).toEqual([1, 1]);
  stage = { world, module: late, signal }; // the next scene cuts the power right after it was loaded
});

test('nodes that start while the hub and its registry are away load what they have, and the hub comes back to what it left', {
  timeout: LIMIT_MS,
}, async () => {
  const scene = await steady();
  await hubAway(scene, world.node('node-b1'), world.node('node-a2'));
  stage = scene;
});

test('a cluster that is cut off is called Unknown, keeps its module while it changes elsewhere, and follows once it is back', {
  timeout: LIMIT_MS,
}, async () => {
  const told = await spokeCutOff(await steady(), 'spoke-b');
  expect(told.reason).toBe('ClusterUnreachable');
  expect(told.message).toMatch(/^1 of 2 clusters is not there yet; first spoke-b: /);
});

async function empty(): Promise<void> {
  await world.hub.kubectl(['delete', 'managedclustermodules', '--all', '--wait=false']);
  await gone(world, [], signal);
}

let modules = 0;
/** Never the same: a second try must not find the images of the first one. */
function newModule(name: string): DemoModule {
  modules += 1;
  return { name: `${name}-kmod-${modules}`, kernelModule: `${name}_kmod_${modules}` };
}

let stage: Stage | undefined;
/** A module on all nodes: the one that the scene before left, unless that one failed. */
async function steady(): Promise<Stage> {
  const kept = stage;
  stage = undefined;
  if (kept !== undefined) return kept;
  const made = { world, module: newModule('steady'), signal };
  await rollOut(made);
  return made;
}
