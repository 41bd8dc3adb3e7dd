/**
 * How events are kept few, after client-go's EventCorrelator (tools/record/events_cache.go): per object 25 at once and then
 * one in five minutes; of one object, type and reason more than ten different messages in ten minutes become one event.
 */
export const eventDefaults = {
  burst: 25,
  refillMs: 300_000,
  similar: 10,
  similarWithinMs: 600_000,
  /** Objects, and events of one kind, that are remembered; the ones unused for longest are forgotten first. */
  memory: 4096,
};

/** A map that forgets what was unused for longest once it is full. */
export class RecentMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limit && oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** A bucket of tokens per object: whether one more event of it may be written. `nowMs` is of a monotonic clock. */
export class EventBudget {
  readonly #buckets = new RecentMap<{ tokens: number; at: number }>(eventDefaults.memory);

  take(object: string, nowMs: number): boolean {
    const { burst, refillMs } = eventDefaults;
    const { tokens, at } = this.#buckets.get(object) ?? { tokens: burst, at: nowMs };
    const filled = Math.min(burst, tokens + (nowMs - at) / refillMs);
    const allowed = filled >= 1;
    this.#buckets.set(object, { tokens: allowed ? filled - 1 : filled, at: nowMs });
    return allowed;
  }
}

/** Tells an event that repeats many others but for its words. */
export class SimilarEvents {
  readonly #groups = new RecentMap<{ since: number; messages: Set<string> }>(eventDefaults.memory);

  /** True once `group` (object, type and reason) had too many different messages within the time. */
  tooMany(group: string, message: string, nowMs: number): boolean {
    const known = this.#groups.get(group);
    const fresh = known !== undefined && nowMs - known.since < eventDefaults.similarWithinMs;
    const { since, messages } = fresh ? known : { since: nowMs, messages: new Set<string>() };
    if (messages.size <= eventDefaults.similar) messages.add(message);
    this.#groups.set(group, { since, messages });
    return messages.size > eventDefaults.similar;
  }
}
