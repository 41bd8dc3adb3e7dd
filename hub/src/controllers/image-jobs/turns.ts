/** Whose turn it is: how many jobs each module has in Redis, and when it was last chosen for. */
export class Turns {
  readonly #jobs = new Map<string, number>();
  readonly #last: Map<string, number>;
  #turn: number;

  /** `last`: module → the number of its last turn; a module that is not in it had none. */
  constructor(last: ReadonlyMap<string, number> = new Map()) {
    this.#last = new Map(last);
    this.#turn = Math.max(0, ...last.values());
  }

  /** A job that is in Redis is for these modules. */
  hasJob(modules: readonly string[]): void {
    for (const module of modules) this.#jobs.set(module, (this.#jobs.get(module) ?? 0) + 1);
  }

  /** They were chosen for: one turn, and one more job. */
  chosen(modules: readonly string[]): void {
    this.hasJob(modules);
    this.#turn += 1;
    for (const module of modules) this.#last.set(module, this.#turn);
  }

  /** Of these modules the one with the fewest jobs, then the one whose turn was longest ago, then the first by name. */
  next(modules: Iterable<string>): string {
    let [best = ''] = modules;
    for (const module of modules) if (this.#isBefore(module, best)) best = module;
    return best;
  }

  /** For the next time, without the modules that are gone. */
  last(exists: (module: string) => boolean): Map<string, number> {
    return new Map([...this.#last].filter(([module]) => exists(module)));
  }

  #isBefore(a: string, b: string): boolean {
    const jobs = (module: string) => this.#jobs.get(module) ?? 0;
    const last = (module: string) => this.#last.get(module) ?? 0;
    return (jobs(a) - jobs(b) || last(a) - last(b) || (a < b ? -1 : 1)) < 0;
  }
}
