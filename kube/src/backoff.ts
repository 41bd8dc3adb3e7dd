import { setTimeout as delay } from 'node:timers/promises';

export const backoffDefaults = { firstMs: 100, maxMs: 60_000 };

/** Doubles with every failure up to a maximum, then spreads over ±50 % so that callers do not come back together. */
export function backoffMs(failures: number, { firstMs, maxMs } = backoffDefaults): number {
  if (failures <= 0) return 0;
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + Math.random() / 2);
}

/** Waits; an aborted signal ends the wait early and without an error, since loops look at the signal themselves. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (err) {
    if (!signal.aborted) throw err;
  }
}
