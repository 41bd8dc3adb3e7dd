import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRounds } from './plan-rounds.ts';

const victims = ['hub', 'worker', 'redis', 'registry', 'node'];
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('one seed always draws the same rounds', () => {
  fc.assert(
    fc.property(seed, fc.nat(40), (drawn, rounds) => {
      const plan = planRounds(victims, { seed: drawn, rounds });
      expect(plan).toEqual(planRounds(victims, { seed: drawn, rounds }));
      expect(plan).toHaveLength(rounds);
    }),
  );
});

test('every victim comes once before one comes again, at a moment within its phase', () => {
  fc.assert(
    fc.property(seed, (drawn) => {
      const plan = planRounds(victims, { seed: drawn, rounds: 10 });
      for (const turn of [plan.slice(0, 5), plan.slice(5)]) {
        expect(turn.map(({ victim }) => victim).sort()).toEqual([...victims].sort());
      }
      expect(plan.every(({ at }) => at >= 0 && at < 1)).toBe(true);
    }),
  );
});

test('without victims there are no rounds', () => {
  expect(planRounds([], { seed: 1, rounds: 3 })).toEqual([]);
});
