import type { DemoModule } from '../demo/modules.ts';
import type { World } from '../world/world.ts';
import { planRounds, type RoundPlan } from './plan-rounds.ts';
import { disturbedRound, type RoundResult, undisturbedRound } from './round.ts';
import { victimsOf } from './victims.ts';

export type KillCampaignOptions = {
  /** Of who is killed and when; the same one draws the same again, at times that the machine decides. */
  seed: number;
  rounds: number;
  /** Told before a round. */
  onRound?: (round: number, plan: RoundPlan) => void;
  /** Told after a round. */
  onResult?: (round: number, result: RoundPlan & RoundResult) => void;
  signal: AbortSignal;
};

/**
 * Rolls a module out to a world that runs, with the Secrets of examples/hello-kmod, and removes it, undisturbed at first; then
 * again and again, another module each time, while one part of the world is killed at some moment. @throws AssertionError, or
 * NotReadyError with what differs from the undisturbed end.
 */
export async function runKillCampaign(
  world: World,
  options: KillCampaignOptions,
): Promise<(RoundPlan & RoundResult)[]> {
  const { seed, onRound, onResult, signal } = options;
  const victims = new Map(victimsOf(world).map((victim) => [victim.name, victim]));
  const reference = await undisturbedRound({ world, module: survivor(seed, 0), signal });
  const results: (RoundPlan & RoundResult)[] = [];
  for (const plan of planRounds([...victims.keys()], options)) {
    const round = results.length + 1;
    const victim = victims.get(plan.victim);
    if (victim === undefined) throw new RangeError(`there is no ${plan.victim}`);
    onRound?.(round, plan);
    const module = survivor(seed, round);
    const result = { ...plan, ...(await disturbedRound({ world, module, signal }, { plan, victim, reference })) };
    onResult?.(round, result);
    results.push(result);
  }
  return results;
}

/** Two digits, so that no name is part of another one; the seed, so that a world may see more than one campaign. */
function survivor(seed: number, round: number): DemoModule {
  const name = `survivor-${seed.toString(36)}-${String(round).padStart(2, '0')}`;
  return { name, kernelModule: name.replaceAll('-', '_') };
}
