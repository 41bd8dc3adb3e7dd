import { dice, shuffled } from '../faults/random.ts';

/** One blow, struck while a module is rolled out to the fleet or removed from it. */
export type RoundPlan = {
  victim: string;
  phase: 'rollout' | 'removal';
  /** 0–1: how much of the time that the phase takes undisturbed has passed. */
  at: number;
  /** Until what was killed is started again. */
  downMs: number;
};

const LONGEST_DOWN_MS = 4_000;
/** Of a hundred blows; most of what can go wrong goes wrong while something is made. */
const IN_ROLLOUTS = 75;

/** What a seed draws: each victim comes once before one comes again. Pure. */
export function planRounds(
  victims: readonly string[],
  { seed, rounds }: { seed: number; rounds: number },
): RoundPlan[] {
  const roll = dice(seed);
  const plans: RoundPlan[] = [];
  while (plans.length < rounds && victims.length > 0) {
    for (const victim of shuffled(victims, roll)) {
      const phase = roll.below(100) < IN_ROLLOUTS ? 'rollout' : 'removal';
      const at = (roll.below(1000) / 1000) ** 2; // early rather than late: with warm caches a round is over sooner
      plans.push({ victim, phase, at, downMs: roll.below(LONGEST_DOWN_MS) });
    }
  }
  return plans.slice(0, rounds);
}
