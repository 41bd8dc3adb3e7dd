import { sleep } from '@kmm-hub/kube';

/** Waits for the work, but no longer; what it does later, failing included, is nobody's concern any more. */
export async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  const inTime = new AbortController();
  try {
    await Promise.race([work, sleep(limitMs, inTime.signal)]);
  } finally {
    inTime.abort();
  }
}
