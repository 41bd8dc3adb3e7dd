import { LeadershipLostError } from './errors.ts';

/**
 * One term as leader, as this process may believe in it: until `validMs` after the start of the last renewal that the API
 * server confirmed. The others count a longer time from the moment they saw that renewal, so what is sent before the end
 * of the term has time to land.
 */
export class Leadership {
  readonly #lease: string;
  readonly #validMs: number;
  readonly #lost = new AbortController();
  #renewedAt: Instant;

  constructor({ lease, validMs, since }: { lease: string; validMs: number; since: Instant }) {
    this.#lease = lease;
    this.#validMs = validMs;
    this.#renewedAt = since;
  }

  /** Aborts when the term ends, with a LeadershipLostError as its reason. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Milliseconds until the term ends unless it is renewed. */
  get remainingMs(): number {
    return this.#validMs - elapsedMs(this.#renewedAt);
  }

  renewed(at: Instant): void {
    this.#renewedAt = at;
  }

  lose(reason: string): void {
    this.#lost.abort(new LeadershipLostError(this.#lease, reason));
  }

  /** @throws LeadershipLostError once the term is over, also when no timer of this process ran since: it may have been paused. */
  readonly fence = (): void => {
    if (this.remainingMs <= 0) this.lose('it was not renewed in time');
    this.signal.throwIfAborted();
  };
}

/** Two clocks, since neither is right alone: the monotonic one stands still in a suspended machine, the wall clock jumps. */
export type Instant = { monotonicMs: number; wallMs: number };

export function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** The longer of the two: believing in a term for too long does harm, for too short does not. */
export function elapsedMs(since: Instant): number {
  return Math.max(performance.now() - since.monotonicMs, Date.now() - since.wallMs);
}
