import { UsageError } from '@kmm-hub/api-types';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { Controller, type ControllerOptions } from './controller.ts';
import { ApiError, TooManyRequestsError } from './errors.ts';

type Reconcile = ControllerOptions['reconcile'];
const log = pino({ level: 'silent' });

/** Runs a controller until `until` holds, and tells what was counted. */
async function runUntil(until: () => boolean, options: Partial<ControllerOptions> & { reconcile: Reconcile }) {
  const counted: string[] = [];
  const metrics: ControllerOptions['metrics'] = (_name, outcome) => counted.push(outcome);
  const controller = new Controller({ name: 'test', log, metrics, ...options });
  const stop = new AbortController();
  controller.queue.add('a');
  const running = controller.run(stop.signal);
  await vi.waitFor(() => expect(until()).toBe(true), { timeout: 30_000, interval: 2 });
  stop.abort();
  await running;
  return { counted, queue: controller.queue };
}

/** One error a call, then success. */
function failing(...errors: unknown[]) {
  return vi.fn<Reconcile>(async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return undefined;
  });
}

test.each<[string, unknown, string[]]>([
  ['a refusal of the API server is tried again', new ApiError('GET /x', 500, {}), ['error', 'success']],
  ['a mistake in the program is counted as a panic and tried again', new TypeError('x'), ['panic', 'success']],
])('%s', async (_behaviour, error, counted) => {
  const reconcile = failing(error);
  const seen = await runUntil(() => reconcile.mock.calls.length === 2, { reconcile });
  expect(seen.counted).toEqual(counted);
  expect(seen.queue.failures('a')).toBe(0);
});

test('an error that no retry heals waits for the next event', async () => {
  const reconcile = failing(new UsageError('wrong'));
  const { counted, queue } = await runUntil(() => reconcile.mock.calls.length === 1, { reconcile });
  expect(counted).toEqual(['terminal']);
  expect([queue.length, queue.failures('a')]).toEqual([0, 0]);
});

test('a throttled reconcile comes back no sooner than the server asks', async () => {
  const started = performance.now();
  const reconcile = failing(new TooManyRequestsError('GET /x', 300, {}));
  await runUntil(() => reconcile.mock.calls.length === 2, { reconcile });
  expect(performance.now() - started).toBeGreaterThanOrEqual(299);
});

test('a reconcile that takes too long is told to stop and counted as a timeout', async () => {
  let calls = 0;
  const reconcile: Reconcile = async (_key, signal) => {
    calls += 1;
    if (calls > 1) return undefined;
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  };
  const { counted } = await runUntil(() => calls === 2, { reconcile, timeoutMs: 20 });
  expect(counted).toEqual(['timeout', 'success']);
});

test('a reconcile that asks for it comes again later', async () => {
  let calls = 0;
  const reconcile: Reconcile = async () => {
    calls += 1;
    return calls === 1 ? { requeueAfterMs: 5 } : undefined;
  };
  const { counted } = await runUntil(() => calls === 2, { reconcile });
  expect(counted).toEqual(['requeue', 'success']);
});

/** With one worker the order of the calls is that of the queue. Runs until there were `calls` of them. */
async function oneByOne(calls: number, add: (queue: Controller['queue']) => void, reconcile: ReconcileOf) {
  const keys: string[] = [];
  const controller: Controller = new Controller({
    ...{ name: 'test', log, concurrency: 1 },
    reconcile: async (key) => {
      keys.push(key);
      return reconcile(key, controller.queue, keys.length);
    },
  });
  add(controller.queue);
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  await vi.waitFor(() => expect(keys).toHaveLength(calls), { timeout: 30_000, interval: 2 });
  stop.abort();
  await running;
  return keys;
}
type ReconcileOf = (key: string, queue: Controller['queue'], call: number) => ReturnType<Reconcile>;

test('a change goes before what was there when the controller started', async () => {
  const start = (queue: Controller['queue']) => ['old-1', 'old-2', 'old-3'].map((key) => queue.add(key));
  const keys = await oneByOne(4, start, async (key, queue) => {
    if (key === 'old-1') queue.add('fresh');
    return undefined;
  });
  expect(keys).toEqual(['old-1', 'fresh', 'old-2', 'old-3']);
});

test.each<[string, () => ReturnType<Reconcile>]>([
  ['asks to come again', async () => ({ requeueAfterMs: 5 })],
  ['fails', () => Promise.reject(new ApiError('GET /x', 500, {}))],
])('a low key that %s does not come before what changed meanwhile', async (_how, end) => {
  const start = (queue: Controller['queue']) => queue.add('low', 'low');
  const keys = await oneByOne(4, start, async (key, queue, call) => {
    if (call === 1) {
      queue.add('busy');
      return end();
    }
    if (key === 'busy') {
      await vi.waitFor(() => expect(queue.length).toBe(1), { timeout: 30_000, interval: 2 }); // the low one is due
      queue.add('fresh');
    }
    return undefined;
  });
  expect(keys).toEqual(['low', 'busy', 'fresh', 'low']);
});

test('one key is never worked on twice at once, and not more keys than asked for', async () => {
  const working = new Set<string>();
  let most = 0;
  let done = 0;
  const reconcile: Reconcile = async (key) => {
    expect(working.has(key)).toBe(false);
    working.add(key);
    most = Math.max(most, working.size);
    await new Promise((resolve) => setImmediate(resolve));
    working.delete(key);
    done += 1;
    return undefined;
  };
  const controller = new Controller({ name: 'test', log, concurrency: 3, reconcile });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  for (let turn = 0; turn < 50; turn += 1) {
    for (const key of ['a', 'b', 'c', 'd', 'e']) controller.queue.add(key);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.waitFor(() => expect([controller.queue.length, working.size]).toEqual([0, 0]), { timeout: 30_000 });
  stop.abort();
  await running;
  expect(most).toBe(3);
  expect(done).toBeGreaterThanOrEqual(5);
});

test('a stop waits for the reconcile that is under way and counts no failure of it', async () => {
  const counted: string[] = [];
  const stop = new AbortController();
  let ended = false;
  const reconcile: Reconcile = async (_key, signal) => {
    stop.abort(new Error('stopping'));
    await new Promise((resolve) => setImmediate(resolve));
    ended = true;
    signal.throwIfAborted();
    return undefined;
  };
  const controller = new Controller({ name: 'test', log, reconcile, metrics: (_name, result) => counted.push(result) });
  controller.queue.add('a');
  await controller.run(stop.signal);
  expect([ended, counted]).toEqual([true, []]);
});
