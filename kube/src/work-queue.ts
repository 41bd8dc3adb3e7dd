import { backoffDefaults, backoffMs } from './backoff.ts';

/**
 * Keys that want work, as in client-go: a key is in the queue once however often it is added; a key that is added while
 * it is worked on comes back when that work is done; a failed key waits longer each time.
 */
export class WorkQueue {
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  readonly #takers: ((key: string) => void)[] = [];
  readonly #backoff: typeof backoffDefaults;

  constructor(backoff = backoffDefaults) {
    this.#backoff = backoff;
  }

  /** Keys that wait, without those that wait for a time. */
  get length(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#waiting.add(key);
      return;
    }
    this.#processing.add(key);
    taker(key);
  }

  /** Adds the key after the delay; of two delays for one key the earlier one holds. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const at = Date.now() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.at <= at) return;
    clearTimeout(pending?.timer);
    const timer = setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, delayMs);
    this.#delayed.set(key, { timer, at });
  }

  /** Adds the key after its back-off and counts the failure; the answer is the delay in milliseconds. */
  addRateLimited(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = backoffMs(failures, this.#backoff);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Forgets the failures of a key that succeeded. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key; waits for one. `undefined` once the signal is aborted. Each key taken must be given back by `done`. */
  async take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return undefined;
    const [key] = this.#waiting;
    if (key !== undefined) {
      this.#waiting.delete(key);
      this.#processing.add(key);
      return key;
    }
    return new Promise((resolve) => {
      const stop = () => {
        const index = this.#takers.indexOf(taker);
        if (index >= 0) this.#takers.splice(index, 1);
        resolve(undefined);
      };
      const taker = (taken: string) => {
        signal.removeEventListener('abort', stop);
        resolve(taken);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#takers.push(taker);
    });
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Drops every delayed key, so that the process can end. */
  close(): void {
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
  }
}
