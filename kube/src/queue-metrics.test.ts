import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metricsRegistry } from './metrics.ts';
import { queueMetrics } from './queue-metrics.ts';
import { WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function counted() {
  const registry = metricsRegistry();
  const queue = new WorkQueue();
  queueMetrics(registry, [{ name: 'works', queue }]);
  const read = async () => {
    const lines = (await registry.metrics()).split('\n').filter((line) => /^workqueue_(?!.*_bucket)/.test(line));
    return Object.fromEntries(
      lines.map((line) => line.replace(/^workqueue_(.*)\{name="works"\} (.*)$/, '$1 $2').split(' ')),
    );
  };
  return { queue, read };
}

test('every series of a queue that never had a key is zero', async () => {
  const { read } = counted();
  expect(await read()).toEqual({
    adds_total: '0',
    retries_total: '0',
    depth: '0',
    unfinished_work_seconds: '0',
    longest_running_processor_seconds: '0',
  });
});

test('a key is counted once while it waits, and its waiting and its work are timed', async () => {
  const { queue, read } = counted();
  for (const key of ['a', 'a', 'b']) queue.add(key);
  vi.advanceTimersByTime(2000);
  await queue.take(signal);
  await queue.take(signal);
  vi.advanceTimersByTime(3000);
  queue.done('a');
  expect(await read()).toMatchObject({
    adds_total: '2',
    depth: '0',
    queue_duration_seconds_sum: '4',
    queue_duration_seconds_count: '2',
    work_duration_seconds_sum: '3',
    work_duration_seconds_count: '1',
    unfinished_work_seconds: '3',
    longest_running_processor_seconds: '3',
  });
});

test('a key that is added while it is worked on waits from then on, and is counted once', async () => {
  const { queue, read } = counted();
  const taken = queue.take(signal);
  queue.add('a');
  await taken;
  vi.advanceTimersByTime(1000);
  for (const key of ['a', 'a']) queue.add(key);
  vi.advanceTimersByTime(1000);
  queue.done('a');
  expect(await read()).toMatchObject({ adds_total: '2', depth: '1', work_duration_seconds_sum: '2' });
  await queue.take(signal);
  expect(await read()).toMatchObject({ adds_total: '2', queue_duration_seconds_sum: '1' });
});

test('a failure is a retry at once and an addition when its wait is over', async () => {
  const { queue, read } = counted();
  queue.addRateLimited('a');
  expect(await read()).toMatchObject({ retries_total: '1', adds_total: '0' });
  vi.advanceTimersByTime(1000);
  expect(await read()).toMatchObject({ retries_total: '1', adds_total: '1', depth: '1' });
});
