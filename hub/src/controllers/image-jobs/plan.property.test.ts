import type { QueuedJob } from '@kmm-hub/queue/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, type JobsInput, type JobsPlan, planJobs } from './plan.ts';
import { Turns } from './turns.ts';

// Few of each, so that images meet.
const MODULES = ['a', 'b', 'c'];
const NAMES = Array.from({ length: 20 }, (_, index) => `i${index}`);
const MINUTE = 60_000;
const modules = fc.subarray(MODULES, { minLength: 1 });
const clusters = fc.integer({ min: 1, max: 3 });
const candidate: fc.Arbitrary<Candidate> = fc.record(
  {
    ...{ name: fc.constantFrom(...NAMES), modules, clusters, onlyLook: fc.boolean() },
    ...{
      sinceMs: fc.integer({ min: 0, max: 20 * MINUTE }),
      inRedisMs: fc.integer({ min: 19 * MINUTE, max: 20 * MINUTE }),
    },
  },
  { requiredKeys: ['name', 'modules', 'clusters', 'onlyLook', 'sinceMs'] },
);
const job: fc.Arbitrary<QueuedJob> = fc.record({
  ...{ name: fc.constantFrom(...NAMES, 'stray'), active: fc.boolean(), priority: fc.integer({ min: 0, max: 3 }) },
});
const byName = { selector: ({ name }: { name: string }) => name };
const input = fc
  .record({
    wanted: fc.uniqueArray(candidate, byName),
    queued: fc.uniqueArray(job, byName),
    gone: fc.subarray([...NAMES, 'stray']),
    concurrency: fc.integer({ min: 0, max: 4 }),
    served: fc
      .uniqueArray(fc.constantFrom(...MODULES))
      .map((order) => new Map(order.map((module, turn) => [module, turn]))),
    nowMs: fc.constant(20 * MINUTE),
  })
  .map(({ gone, ...rest }): JobsInput => ({ ...rest, exists: (name) => !gone.includes(name) }));

/** What Redis has once the plan is carried out. */
function carriedOut({ queued }: JobsInput, { add, move, remove }: JobsPlan): QueuedJob[] {
  const moved = new Map(move.map(({ name, priority }) => [name, priority]));
  const kept = queued
    .filter(({ name }) => !remove.includes(name))
    .map((one) => ({ ...one, priority: moved.get(one.name) ?? one.priority }));
  return [...kept, ...add.map(({ name, priority }) => ({ name, priority, active: false }))];
}

test('one pass is enough, no bound is exceeded by what it adds, and nothing waits while there is room', () => {
  const property = fc.property(input, (given) => {
    const plan = planJobs(given);
    const queued = carriedOut(given, plan);
    expect(new Set(queued.map(({ name }) => name)).size).toBe(queued.length);
    expect(planJobs({ ...given, queued })).toEqual({ add: [], move: [], remove: [] });
    const looks = new Set(given.wanted.filter(({ onlyLook }) => onlyLook).map(({ name }) => name));
    const room = 2 * Math.max(1, given.concurrency);
    const builds = queued.filter(({ name }) => !looks.has(name)).length;
    const added = plan.add.filter(({ name }) => !looks.has(name)).length;
    if (added > 0) expect(builds).toBeLessThanOrEqual(room);
    const there = new Set(queued.map(({ name }) => name));
    const left = given.wanted.filter(
      ({ name, inRedisMs }) => given.exists(name) && !there.has(name) && inRedisMs === undefined,
    );
    expect(left.filter(({ onlyLook }) => onlyLook)).toEqual([]); // 200 looks are never reached here
    if (left.length > 0) expect(builds).toBeGreaterThanOrEqual(room);
  });
  fc.assert(property, { numRuns: 500 });
});

test('the order in which images and jobs are listed decides nothing', () => {
  const reordered = fc.gen().map(
    (draw) =>
      <T>(list: readonly T[]) =>
        draw(() => fc.shuffledSubarray([...list], { minLength: list.length })),
  );
  const property = fc.property(input, reordered, (given, shuffle) => {
    const other = planJobs({ ...given, wanted: shuffle(given.wanted), queued: shuffle(given.queued) });
    const plan = planJobs(given);
    expect({ ...other, remove: [...other.remove].sort() }).toEqual({ ...plan, remove: [...plan.remove].sort() });
  });
  fc.assert(property);
});

/** A day of a busy queue: each minute every worker ends one job, and new images come that more clusters wait for. */
class Day {
  readonly done = new Set<string>();
  readonly #wanted = new Map<string, Candidate>();
  readonly #concurrency: number;
  #queued: QueuedJob[] = [];
  #served: ReadonlyMap<string, number> = new Map();

  constructor(wanted: readonly Candidate[], concurrency: number) {
    this.#concurrency = concurrency;
    for (const one of wanted) this.#wanted.set(one.name, one);
  }

  minute(nowMs: number, arriving: readonly Candidate[]): void {
    for (const one of arriving) this.#wanted.set(one.name, one);
    const wanted = [...this.#wanted.values()];
    const state = { wanted, queued: this.#queued, concurrency: this.#concurrency, served: this.#served, nowMs };
    const input = { ...state, exists: () => true };
    const plan = planJobs(input);
    const turns = new Turns(this.#served);
    for (const chosen of plan.add) turns.chosen(chosen.modules);
    this.#served = turns.last(() => true);
    this.#queued = carriedOut(input, plan);
    for (let worker = 0; worker < this.#concurrency; worker += 1) this.#endOne();
  }

  /** As BullMQ: the first of the best priority. */
  #endOne(): void {
    const best = Math.min(...this.#queued.map(({ priority }) => priority));
    const index = this.#queued.findIndex(({ priority }) => priority === best);
    for (const { name } of this.#queued.splice(index, 1)) {
      this.#wanted.delete(name);
      this.done.add(name);
    }
  }
}

test('nothing starves, however many others come that more clusters wait for', () => {
  const wanted = fc
    .uniqueArray(candidate, { ...byName, minLength: 1 })
    .map((list) => list.map(({ inRedisMs: _, ...one }): Candidate => ({ ...one, sinceMs: 0 })));
  const property = fc.property(
    wanted,
    fc.constantFrom(1, 2),
    fc.constantFrom(...MODULES),
    (first, concurrency, greedy) => {
      const day = new Day(first, concurrency);
      for (let minute = 0; minute < 120; minute += 1) {
        const arriving = Array.from(
          { length: concurrency },
          (_, index): Candidate => ({
            ...{ name: `new-${minute}-${index}`, modules: [greedy], clusters: 1000, onlyLook: index % 2 === 1 },
            sinceMs: minute * MINUTE,
          }),
        );
        day.minute(minute * MINUTE, arriving);
      }
      expect(first.filter(({ name }) => !day.done.has(name))).toEqual([]);
    },
  );
  fc.assert(property);
});
