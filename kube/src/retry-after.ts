import { TooManyRequestsError } from './errors.ts';

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110 §10.2.3: seconds, or a date). A date is read against the answer's
 * own Date, so that a clock that differs from the server's does no harm. Default, and for nonsense: one second.
 */
export function retryAfterMs(headers: Record<string, string | string[] | undefined>): number {
  const text = String(headers['retry-after'] ?? '').trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  const now = Date.parse(String(headers.date ?? ''));
  return Number.isNaN(at) || Number.isNaN(now) ? 1000 : Math.max(0, at - now);
}

export const throttleDefaults = { attempts: 5, longestMs: 30_000 };

/**
 * How long to wait before a read that was answered 429 is sent again; undefined when the error is to be told. `attempt`
 * counts from 1. The wait is the server's wish and up to a fifth more, so that callers do not come back together. Writes are
 * left to the caller: the work queue knows whether the write is still wanted.
 */
export function throttledReadDelayMs(
  err: unknown,
  { method, attempt }: { method: string; attempt: number },
): number | undefined {
  if (method !== 'GET' || !(err instanceof TooManyRequestsError)) return undefined;
  if (attempt >= throttleDefaults.attempts || err.retryAfterMs > throttleDefaults.longestMs) return undefined;
  return err.retryAfterMs * (1 + Math.random() / 5);
}
