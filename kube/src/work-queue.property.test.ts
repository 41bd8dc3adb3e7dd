import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();
const key: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c');
const priority = fc.constantFrom('high' as const, 'normal' as const, 'low' as const);
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key, priority }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), key }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A queue beside the sets of what it must hold: `owed` was added and not taken since, `worked` is taken and not done. */
class Checked {
  readonly queue = new WorkQueue();
  readonly owed = new Set<string>();
  readonly worked = new Set<string>();

  async do(now: Step): Promise<void> {
    if (now.do === 'add') {
      this.queue.add(now.key, now.priority);
      this.owed.add(now.key);
    }
    if (now.do === 'done' && this.worked.delete(now.key)) this.queue.done(now.key);
    if (now.do === 'take' && this.queue.length > 0) await this.take();
    expect(this.queue.length).toBe([...this.owed].filter((key) => !this.worked.has(key)).length);
  }

  async take(): Promise<void> {
    const taken = (await this.queue.take(signal)) as string;
    expect(this.owed.delete(taken)).toBe(true);
    expect(this.worked.has(taken)).toBe(false);
    this.worked.add(taken);
  }
}

test('a queue hands out every added key, each at most once at a time, and none that was not added', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const checked = new Checked();
    for (const now of steps) await checked.do(now);
    for (const worked of checked.worked) await checked.do({ do: 'done', key: worked });
    while (checked.queue.length > 0) await checked.take();
    expect([...checked.owed]).toEqual([]);
  });
  await fc.assert(property, { numRuns: 300 });
});
