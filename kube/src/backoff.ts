export const backoffDefaults = { firstMs: 100, maxMs: 60_000 };
export type Backoff = typeof backoffDefaults;

/** The longest time a timer of Node takes (2^31 - 1 ms, 24 days); a longer one fires at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Milliseconds to wait after the n-th failure in a row: doubles with every failure up to a maximum, then a random share
 * between half and all of it, so that callers do not come back together. 0 after no failure.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff = backoffDefaults): number {
  if (failures <= 0) return 0;
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + Math.random() / 2);
}

/** Waits; an aborted signal ends the wait early and without an error, since loops look at the signal themselves. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener('abort', end);
  });
}
