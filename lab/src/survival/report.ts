import type { RoundPlan } from './plan-rounds.ts';
import type { RoundResult } from './round.ts';

/** A line for a person, e.g. `round 3: worker killed 62% into the rollout, down for 1.2 s`; after the round, with its end. */
export function roundText(round: number, plan: RoundPlan & Partial<RoundResult>): string {
  const { victim, phase, at, downMs, seconds, repeatedBuilds } = plan;
  const blow = `round ${round}: ${victim} killed ${Math.round(at * 100)}% into the ${phase}, down for ${(downMs / 1000).toFixed(1)} s`;
  if (seconds === undefined) return blow;
  const repeated = repeatedBuilds === 0 ? 'no build' : `${repeatedBuilds} of 2 builds`;
  return `${blow}; all as undisturbed after ${seconds} s, ${repeated} repeated`;
}
