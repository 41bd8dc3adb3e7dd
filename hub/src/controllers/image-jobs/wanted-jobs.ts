/** An image that needs a job. Times are monotonic, in milliseconds. */
export type WantedJob = {
  name: string;
  sinceMs: number;
  /** When its job was last seen in Redis, or added; undefined when it was not, or Redis may have lost it. */
  inRedisMs?: number;
  /** A Secret of the recipe changed while its job was in Redis. */
  hinted?: true;
};

/**
 * The images that need a job, whether or not theirs is in Redis yet: bounded by the ModuleImages that exist. Redis may lose
 * everything at any time; this is what it is filled from again.
 */
export class WantedJobs {
  readonly #jobs = new Map<string, WantedJob>();
  readonly #changed: () => void;
  readonly #now: () => number;

  /** `changed` is called for everything that may make room in Redis or fill it. */
  constructor(changed: () => void, now: () => number = () => performance.now()) {
    this.#changed = changed;
    this.#now = now;
  }

  want(name: string): void {
    if (!this.#jobs.has(name)) this.#jobs.set(name, { name, sinceMs: this.#now() });
    this.#changed(); // also when it is wanted already: more clusters may wait for it by now
  }

  /** Its job ended, or nobody wants the image any more. True when a Secret changed while the job was in Redis. */
  forget(name: string): boolean {
    const hinted = this.#jobs.get(name)?.hinted === true;
    this.#jobs.delete(name);
    this.#changed();
    return hinted;
  }

  /** A Secret of the image's recipe changed. True when a job is in Redis, whose end is to be told of it by `forget`. */
  hint(name: string): boolean {
    const job = this.#jobs.get(name);
    if (job?.inRedisMs === undefined) return false;
    this.#jobs.set(name, { ...job, hinted: true });
    return true;
  }

  /** Its job is in Redis now. */
  seen(name: string): void {
    const job = this.#jobs.get(name);
    if (job !== undefined) this.#jobs.set(name, { ...job, inRedisMs: this.#now() });
  }

  /** Redis is there again, and may have lost every job. */
  redisIsBack(): void {
    for (const [name, { inRedisMs: _, ...job }] of this.#jobs) this.#jobs.set(name, job);
    this.#changed();
  }

  has(name: string): boolean {
    return this.#jobs.has(name);
  }

  list(): WantedJob[] {
    return [...this.#jobs.values()];
  }
}
