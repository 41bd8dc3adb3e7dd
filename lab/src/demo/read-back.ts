import { waitFor } from '../host/wait.ts';

/** What a step expects and does not find; the wait tries again and shows it when the time is up. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

/** Far above what a busy machine with two cores needs: it only bounds a failure. */
const LIMIT_MS = 600_000;
const INTERVAL_MS = 500;

/** Asks until `check` answers, and gives that. It throws Unexpected as long as things are not as they should be. */
export function readBack<T>(what: string, check: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return waitFor({ what, check, timeoutMs: LIMIT_MS, intervalMs: INTERVAL_MS, signal });
}
