import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();
const backoff = { firstMs: 100, maxMs: 1000 };

/** Takes what is there now. */
async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) keys.push((await queue.take(signal)) as string);
  return keys;
}

test('a key that is added twice is taken once', async () => {
  const queue = new WorkQueue();
  for (const key of ['a', 'b', 'a']) queue.add(key);
  expect(await takeAll(queue)).toEqual(['a', 'b']);
});

test('a key that is added while it is worked on comes back when that work is done, once', async () => {
  const queue = new WorkQueue();
  queue.add('a');
  await queue.take(signal);
  queue.add('a');
  queue.add('a');
  expect(queue.length).toBe(0);
  queue.done('a');
  expect(await takeAll(queue)).toEqual(['a']);
  queue.done('a');
  expect(queue.length).toBe(0);
});

test('who waits for a key gets the next one that is added', async () => {
  const queue = new WorkQueue();
  const taken = Promise.all([queue.take(signal), queue.take(signal)]);
  queue.add('a');
  queue.add('a'); // is worked on already
  queue.add('b');
  expect(await taken).toEqual(['a', 'b']);
});

test('an aborted wait answers undefined and loses no key', async () => {
  const queue = new WorkQueue();
  const stop = new AbortController();
  const waiting = queue.take(stop.signal);
  stop.abort();
  expect(await waiting).toBeUndefined();
  queue.add('a');
  expect(await queue.take(stop.signal)).toBeUndefined();
  expect(await takeAll(queue)).toEqual(['a']);
});

describe('priority', () => {
  test('the highest is taken first, the oldest within one', async () => {
    const queue = new WorkQueue();
    queue.add('low', 'low');
    queue.add('first');
    queue.add('second');
    queue.add('high', 'high');
    expect(await takeAll(queue)).toEqual(['high', 'first', 'second', 'low']);
  });

  test('a waiting key is raised and never lowered, and keeps its turn when nothing changes', async () => {
    const queue = new WorkQueue();
    queue.add('a', 'low');
    queue.add('b', 'low');
    queue.add('c');
    queue.add('b', 'high');
    queue.add('c', 'low');
    queue.add('a', 'low');
    expect(await takeAll(queue)).toEqual(['b', 'c', 'a']);
  });

  test('a key that comes back keeps the highest it was added with meanwhile', async () => {
    const queue = new WorkQueue();
    queue.add('a', 'low');
    await queue.take(signal);
    queue.add('a', 'high');
    queue.add('a', 'low');
    queue.add('b');
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });
});

describe('with a clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('of two delays for one key the earlier one holds', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    vi.advanceTimersByTime(99);
    expect(queue.length).toBe(0);
    vi.advanceTimersByTime(1);
    expect(queue.length).toBe(1);
  });

  test('the delayed key has the higher of its priorities', async () => {
    const queue = new WorkQueue();
    queue.add('b');
    queue.addAfter('a', 100, 'high');
    queue.addAfter('a', 50, 'low');
    vi.advanceTimersByTime(50);
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });

  test.each([
    ['high', ['fails', 'before', 'after']],
    ['low', ['before', 'after', 'fails']],
  ] as const)('a %s key that fails comes back as one', async (priority, order) => {
    const queue = new WorkQueue(backoff);
    queue.add('fails', priority);
    expect(await queue.take(signal)).toBe('fails');
    queue.addRateLimited('fails');
    queue.done('fails');
    queue.add('before');
    vi.advanceTimersByTime(backoff.maxMs);
    queue.add('after');
    expect(await takeAll(queue)).toEqual(order);
  });

  test('a key that is handed to who waits for one keeps its priority too', async () => {
    const queue = new WorkQueue(backoff);
    const taken = queue.take(signal);
    queue.add('fails', 'low');
    expect([await taken, queue.priorityOf('fails')]).toEqual(['fails', 'low']);
    queue.done('fails');
    expect(queue.priorityOf('fails')).toBe('normal');
  });

  test('a wall clock that is set back does not hold a key up', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 60_000);
    vi.setSystemTime(0);
    queue.addAfter('a', 1000);
    vi.advanceTimersByTime(1000);
    expect(queue.length).toBe(1);
  });

  test('a delay beyond what a timer takes does not fire at once', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 60 * 86_400_000);
    vi.advanceTimersByTime(20 * 86_400_000);
    expect(queue.length).toBe(0);
  });

  test('every failure in a row lengthens the wait, until the key is forgotten', () => {
    const queue = new WorkQueue(backoff);
    vi.spyOn(Math, 'random').mockReturnValue(1);
    expect([1, 2, 3, 4, 5, 6].map(() => queue.addRateLimited('a'))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(queue.failures('a')).toBe(6);
    expect(queue.addRateLimited('b')).toBe(100);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(100);
    expect(queue.addRateLimited('a', 5000)).toBe(5000);
    vi.restoreAllMocks();
  });

  test('a closed queue drops what was delayed', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 10);
    queue.close();
    vi.advanceTimersByTime(10);
    expect(queue.length).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
