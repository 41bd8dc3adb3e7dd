/** An answer, or none, is worth something for this long: longer than the longest wait between two attempts of a job. */
const REMEMBERED_MS = 15 * 60_000;

type Seen = { atMs: number; problem: string | undefined };

/**
 * Whether this worker reaches the registries that its jobs name, for /readyz. One registry that is away, or a name with a
 * mistake in it, is told on its images alone; a worker that lately reached none of them is cut off.
 */
export class RegistryHealth {
  readonly #seen = new Map<string, Seen>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `host`: with its port. `problem`: why it cannot be reached; undefined when it answered, whatever it said. */
  note(host: string, problem: string | undefined): void {
    this.#forgetOld();
    this.#seen.set(host, { atMs: this.#now(), problem });
  }

  /** One line a registry when none was reached lately; nothing while one was, or none was asked. */
  problems(): string[] {
    this.#forgetOld();
    const problems = [...this.#seen.values()].flatMap(({ problem }) => problem ?? []);
    return problems.length === this.#seen.size ? problems : [];
  }

  #forgetOld(): void {
    const oldest = this.#now() - REMEMBERED_MS;
    for (const [host, { atMs }] of this.#seen) if (atMs < oldest) this.#seen.delete(host);
  }
}
