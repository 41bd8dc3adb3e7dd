import { setTimeout as sleep } from 'node:timers/promises';
import { NotReadyError } from './errors.ts';

export type Wait<T> = {
  /** Subject of the error's sentence, e.g. "redis". */
  what: string;
  /** Answers undefined, or throws, as long as it is too early. Must give up when its signal aborts. */
  check: (signal: AbortSignal) => Promise<T | undefined>;
  timeoutMs: number;
  /** Pause between two checks. Default 50. */
  intervalMs?: number;
  signal: AbortSignal;
};

/**
 * Asks until `check` has an answer, and gives that.
 * @throws NotReadyError after `timeoutMs`, with the last error of `check` as its cause; the signal's reason when aborted.
 */
export async function waitFor<T>({ what, check, timeoutMs, intervalMs = 50, signal }: Wait<T>): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  const isOver = () => signal.aborted || timeout.aborted; // `limit` alone would let the timeout be garbage-collected
  let cause: unknown;
  while (!isOver()) {
    try {
      const answer = await check(limit);
      if (answer !== undefined) return answer;
      await sleep(intervalMs, undefined, { signal: limit });
    } catch (error) {
      if (isOver()) break; // the error is only that of the abort
      cause = error;
      await sleep(intervalMs);
    }
  }
  signal.throwIfAborted();
  throw new NotReadyError(what, timeoutMs, { cause });
}
