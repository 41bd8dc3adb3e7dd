import { setTimeout as sleep } from 'node:timers/promises';
import { defaults } from './defaults.ts';
import { RegistryUnreachableError } from './errors.ts';

/** `delayMs`: half of the longest wait before the first repetition; it doubles each time. */
export type RetryOptions = { signal: AbortSignal; delayMs: number };

/**
 * Repeats an operation that ends in RegistryUnreachableError, at most `defaults.attempts` times in all, with full jitter:
 * many workers meet one registry, and must not come back together. Every other error passes at once.
 */
export async function withRetries<T>(operation: () => Promise<T>, { signal, delayMs }: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (err) {
      signal.throwIfAborted();
      const waitMs = waitBefore(err, attempt, delayMs);
      if (waitMs === undefined) throw err;
      await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted()); // its own error hides the reason
    }
  }
}

function waitBefore(err: unknown, attempt: number, delayMs: number): number | undefined {
  if (!(err instanceof RegistryUnreachableError) || attempt >= defaults.attempts) return undefined;
  if (err.retryAfterMs === undefined) return Math.random() * delayMs * 2 ** attempt;
  return err.retryAfterMs <= defaults.maxRetryAfterMs ? err.retryAfterMs : undefined;
}
