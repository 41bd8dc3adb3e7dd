import { backoffDefaults, backoffMs, MAX_TIMER_MS } from './backoff.ts';

/** Which waiting key is taken first. Within one priority the oldest is. A lower one may wait for ever behind a higher one. */
export type Priority = 'high' | 'normal' | 'low';

const ORDER: readonly Priority[] = ['high', 'normal', 'low'];

/** What a queue tells of its keys (queue-metrics.ts). */
export interface QueueObserver {
  /** A key that did not wait yet. */
  added(): void;
  /** A key is worked on, this long after it was added. */
  taken(waitedMs: number): void;
  done(workedMs: number): void;
  /** A key failed and is to come back. */
  retried(): void;
}

/**
 * Keys that want work, as in client-go: a key is in the queue once however often it is added; a key that is added while
 * it is worked on comes back when that work is done; a failed key waits longer each time.
 */
export class WorkQueue {
  readonly #waiting: Record<Priority, Set<string>> = { high: new Set(), normal: new Set(), low: new Set() };
  /** Key that is worked on → when it was taken, and with which priority. */
  readonly #processing = new Map<string, { since: number; priority: Priority }>();
  /** Key that waits, or is to come back → when it was added. */
  readonly #addedAt = new Map<string, number>();
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { timer: NodeJS.Timeout; at: number; priority: Priority }>();
  readonly #takers = new Set<(key: string) => void>();
  readonly #backoff: typeof backoffDefaults;
  #observer: QueueObserver | undefined;
  /** Of keys that are added without one. */
  usualPriority: Priority = 'normal';

  constructor(backoff = backoffDefaults) {
    this.#backoff = backoff;
  }

  /** Keys that wait, without those that wait for a time. */
  get length(): number {
    return ORDER.reduce((sum, priority) => sum + this.#waiting[priority].size, 0);
  }

  observe(observer: QueueObserver): void {
    this.#observer = observer;
  }

  /** For each key that is being worked on, how long it has been. */
  runningMs(): number[] {
    const now = performance.now();
    return [...this.#processing.values()].map(({ since }) => now - since);
  }

  /** A key that waits already keeps the higher of its two priorities. */
  add(key: string, priority = this.usualPriority): void {
    this.#noteAdded(key);
    if (this.#processing.has(key)) {
      this.#again.set(key, higher(this.#again.get(key), priority));
      return;
    }
    const [taker] = this.#takers;
    if (taker !== undefined) {
      this.#start(key, priority);
      taker(key);
      return;
    }
    const present = ORDER.find((level) => this.#waiting[level].has(key));
    if (higher(present, priority) === present) return; // stays where it is, and keeps its turn
    if (present !== undefined) this.#waiting[present].delete(key);
    this.#waiting[priority].add(key);
  }

  /** Adds the key after the delay; of two delays for one key the earlier one holds. */
  addAfter(key: string, delayMs: number, priority = this.usualPriority): void {
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    const at = performance.now() + Math.min(delayMs, MAX_TIMER_MS); // a wall clock may be set back
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.at <= at) {
      pending.priority = higher(pending.priority, priority);
      return;
    }
    clearTimeout(pending?.timer);
    const entry = {
      at,
      priority: higher(pending?.priority, priority),
      timer: setTimeout(() => this.#due(key), at - performance.now()),
    };
    this.#delayed.set(key, entry);
  }

  #due(key: string): void {
    const priority = this.#delayed.get(key)?.priority;
    this.#delayed.delete(key);
    this.add(key, priority);
  }

  /**
   * Adds the key after its back-off, or after `atLeastMs` if that is longer, and counts the failure; answers with the delay.
   * A key that is worked on keeps its priority: a failure neither lets it overtake nor sets it back.
   */
  addRateLimited(key: string, atLeastMs = 0): number {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#observer?.retried();
    const delayMs = Math.max(backoffMs(failures, this.#backoff), atLeastMs);
    this.addAfter(key, delayMs, this.priorityOf(key));
    return delayMs;
  }

  /** Failures of the key since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** That of a key that is worked on: its next try and what follows from it get the same. Of any other key the usual one. */
  priorityOf(key: string): Priority {
    return this.#processing.get(key)?.priority ?? this.usualPriority;
  }

  /** Forgets the failures of a key that succeeded. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key; waits for one. `undefined` once the signal is aborted. Each key taken must be given back by `done`. */
  async take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return undefined;
    for (const priority of ORDER) {
      const [key] = this.#waiting[priority];
      if (key === undefined) continue;
      this.#waiting[priority].delete(key);
      this.#start(key, priority);
      return key;
    }
    return this.#nextAdded(signal);
  }

  #nextAdded(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const settle = (key: string | undefined) => {
        signal.removeEventListener('abort', stop);
        this.#takers.delete(settle);
        resolve(key);
      };
      const stop = () => settle(undefined);
      signal.addEventListener('abort', stop, { once: true });
      this.#takers.add(settle);
    });
  }

  /** Gives a taken key back; it comes again at once if it was added meanwhile. */
  done(key: string): void {
    const taken = this.#processing.get(key);
    this.#processing.delete(key);
    if (taken !== undefined) this.#observer?.done(performance.now() - taken.since);
    const priority = this.#again.get(key);
    if (priority === undefined) return;
    this.#again.delete(key);
    this.add(key, priority);
  }

  #noteAdded(key: string): void {
    if (this.#addedAt.has(key)) return;
    this.#addedAt.set(key, performance.now());
    this.#observer?.added();
  }

  #start(key: string, priority: Priority): void {
    const now = performance.now();
    const added = this.#addedAt.get(key) ?? now;
    this.#addedAt.delete(key);
    this.#processing.set(key, { since: now, priority });
    this.#observer?.taken(now - added);
  }

  /** Drops every delayed key, so that the process can end. */
  close(): void {
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
  }
}

function higher(one: Priority | undefined, other: Priority): Priority {
  return one !== undefined && ORDER.indexOf(one) <= ORDER.indexOf(other) ? one : other;
}
