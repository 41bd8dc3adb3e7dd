import { expect, test, vi } from 'vitest';
import { backoffMs, MAX_TIMER_MS, sleep } from './backoff.ts';

const limits = { firstMs: 100, maxMs: 1000 };

test.each<[string, number, [number, number]]>([
  ['nothing after no failure', 0, [0, 0]],
  ['half to all of the first wait after one failure', 1, [50, 100]],
  ['twice as much after the second', 2, [100, 200]],
  ['the maximum in the end', 9, [500, 1000]],
  ['the maximum also after more failures than a number can double', 5000, [500, 1000]],
])('backoffMs waits %s', (_behaviour, failures, [least, most]) => {
  for (const random of [0, 0.5, 0.999_999]) {
    const spy = vi.spyOn(Math, 'random').mockReturnValue(random);
    expect(backoffMs(failures, limits)).toBeGreaterThanOrEqual(least);
    expect(backoffMs(failures, limits)).toBeLessThanOrEqual(most);
    spy.mockRestore();
  }
});

test('backoffMs spreads callers that failed together', () => {
  expect(new Set(Array.from({ length: 20 }, () => backoffMs(5, limits))).size).toBeGreaterThan(10);
});

test('sleep ends at once, and without an error, when its signal aborts', async () => {
  const stop = new AbortController();
  const sleeping = sleep(MAX_TIMER_MS * 2, stop.signal);
  stop.abort();
  await expect(sleeping).resolves.toBeUndefined();
  await expect(sleep(60_000, stop.signal)).resolves.toBeUndefined();
});
