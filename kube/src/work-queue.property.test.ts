import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Priority, WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();
const ORDER: readonly Priority[] = ['high', 'normal', 'low'];
const MAX_MS = 100;
const key: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c');
const priority = fc.constantFrom(...ORDER);
const ms = fc.integer({ min: 0, max: MAX_MS });
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key, priority }),
  fc.record({ do: fc.constant('delay' as const), key, priority, ms }),
  fc.record({ do: fc.constant('wait' as const), ms }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('fail' as const), key }),
  fc.record({ do: fc.constant('done' as const), key }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/**
 * A queue beside what it must hold: `owed` was added and not taken since, `delayed` is to be added later, `worked` is taken
 * and not done.
 */
class Checked {
  readonly queue = new WorkQueue({ firstMs: 10, maxMs: MAX_MS });
  readonly owed = new Map<string, Priority>();
  readonly delayed = new Map<string, { at: number; priority: Priority }>();
  readonly worked = new Map<string, Priority>();
  #now = 0;

  async do(now: Step): Promise<void> {
    if (now.do === 'add') {
      this.queue.add(now.key, now.priority);
      this.#owe(now.key, now.priority);
    }
    if (now.do === 'delay') {
      this.queue.addAfter(now.key, now.ms, now.priority);
      this.#delay(now.key, now.ms, now.priority);
    }
    if (now.do === 'wait') this.#wait(now.ms);
    if (now.do === 'fail') this.#fail(now.key);
    if (now.do === 'done' && this.worked.delete(now.key)) this.queue.done(now.key);
    if (now.do === 'take' && this.queue.length > 0) await this.take();
    expect(this.queue.length).toBe(this.#waiting().length);
  }

  async take(): Promise<void> {
    const best = ORDER.find((level) => this.#waiting().some(([, priority]) => priority === level));
    const taken = (await this.queue.take(signal)) as string;
    expect([this.owed.get(taken), this.worked.has(taken)]).toEqual([best, false]);
    this.owed.delete(taken);
    this.worked.set(taken, best as Priority);
  }

  /** Whoever worked on a key that fails gives it back. */
  #fail(failed: string): void {
    const priority = this.worked.get(failed);
    if (priority === undefined) return;
    this.#delay(failed, this.queue.addRateLimited(failed), priority);
    this.worked.delete(failed);
    this.queue.done(failed);
  }

  #waiting(): [string, Priority][] {
    return [...this.owed].filter(([key]) => !this.worked.has(key));
  }

  #owe(added: string, priority: Priority): void {
    this.owed.set(added, higher(this.owed.get(added), priority));
  }

  #delay(added: string, delayMs: number, priority: Priority): void {
    if (delayMs === 0) {
      this.#owe(added, priority);
      return;
    }
    const pending = this.delayed.get(added);
    const at = Math.min(pending?.at ?? Number.POSITIVE_INFINITY, this.#now + delayMs);
    this.delayed.set(added, { at, priority: higher(pending?.priority, priority) });
  }

  #wait(forMs: number): void {
    this.#now += forMs;
    vi.advanceTimersByTime(forMs);
    for (const [key, { at, priority }] of this.delayed) {
      if (at > this.#now) continue;
      this.delayed.delete(key);
      this.#owe(key, priority);
    }
  }
}

function higher(one: Priority | undefined, other: Priority): Priority {
  return ORDER.find((level) => level === one || level === other) as Priority;
}

beforeAll(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1); // a back-off of whole milliseconds
});
afterAll(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a queue hands out every added key when it is due, the highest first, each at most once at a time, and no other', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const checked = new Checked();
    for (const now of steps) await checked.do(now);
    for (const worked of checked.worked.keys()) await checked.do({ do: 'done', key: worked });
    await checked.do({ do: 'wait', ms: MAX_MS });
    while (checked.queue.length > 0) await checked.take();
    expect([checked.owed, checked.delayed]).toEqual([new Map(), new Map()]);
  });
  await fc.assert(property, { numRuns: 300 });
});
