import type { Problem } from '../cluster-work/plan.ts';
import type { ClusterState } from './cluster-state.ts';

/** What one cluster adds to the sums. */
export type ClusterEntry = {
  /** Its work; a cluster on its way out may have one without being selected. */
  work: 'none' | 'exists' | 'applied';
  /** Undefined when the module does not select it. */
  seen?: ClusterState;
  /** Why some of its kernels get no image. That alone is no failure: it may be meant. */
  uncovered?: Problem;
  /** Selected, and nobody looked yet at what it waits for: its state may be wrong. */
  unsure?: boolean;
};

export type NamedState = ClusterState & { name: string };

const nothing = {
  ...{ works: 0, applied: 0, selected: 0, available: 0, degraded: 0, uncovered: 0, unsure: 0 },
  ...{ nodesDesired: 0, nodesAvailable: 0 },
};
export type Totals = typeof nothing;

/** The clusters of one module, summed up as they change: what one of them costs does not depend on how many there are. */
export class ClusterSums {
  readonly #entries = new Map<string, ClusterEntry>();
  readonly #degraded = new Set<string>();
  readonly #progressing = new Set<string>();
  readonly #uncovered = new Set<string>();
  #totals: Totals = nothing;

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  /** Names of the clusters that are counted. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** `undefined`: neither selected nor with a work. */
  set(name: string, entry: ClusterEntry | undefined): void {
    this.#add(this.#entries.get(name), -1);
    for (const set of [this.#degraded, this.#progressing, this.#uncovered]) set.delete(name);
    this.#entries.delete(name);
    if (entry === undefined) return;
    this.#entries.set(name, entry);
    this.#add(entry, 1);
    if (entry.seen?.state === 'Degraded') this.#degraded.add(name);
    if (entry.seen?.state === 'Progressing') this.#progressing.add(name);
    if (entry.uncovered !== undefined) this.#uncovered.add(name);
  }

  /** The first `count` that are not available: those that need a person first, then by name. */
  worst(count: number): NamedState[] {
    const names = firstNames(this.#degraded, count);
    return [...names, ...firstNames(this.#progressing, count - names.length)].flatMap((name) => this.#named(name));
  }

  /** The first cluster by name some of whose kernels get no image, and why. */
  firstUncovered(): (Problem & { name: string }) | undefined {
    const [name = ''] = firstNames(this.#uncovered, 1);
    const problem = this.#entries.get(name)?.uncovered;
    return problem && { ...problem, name };
  }

  /** Names of the first clusters that have a work. */
  withWork(count: number): string[] {
    return firstNames(
      [...this.#entries].flatMap(([name, { work }]) => (work === 'none' ? [] : [name])),
      count,
    );
  }

  #named(name: string): NamedState[] {
    const seen = this.#entries.get(name)?.seen;
    return seen === undefined ? [] : [{ ...seen, name }];
  }

  #add(entry: ClusterEntry | undefined, sign: 1 | -1): void {
    if (entry === undefined) return;
    const { work, seen, uncovered, unsure } = entry;
    const own: Totals = {
      works: work === 'none' ? 0 : 1,
      applied: work === 'applied' ? 1 : 0,
      selected: seen === undefined ? 0 : 1,
      available: seen?.state === 'Available' ? 1 : 0,
      degraded: seen?.state === 'Degraded' ? 1 : 0,
      uncovered: uncovered === undefined ? 0 : 1,
      unsure: unsure === true ? 1 : 0,
      nodesDesired: seen?.nodesDesired ?? 0,
      nodesAvailable: seen?.nodesAvailable ?? 0,
    };
    const fields = Object.keys(own) as (keyof Totals)[];
    this.#totals = Object.fromEntries(
      fields.map((field) => [field, this.#totals[field] + sign * own[field]]),
    ) as Totals;
  }
}

/** In one pass: sorting ten thousand names for ten of them would be the most of a status. */
function firstNames(names: Iterable<string>, count: number): string[] {
  const first: string[] = [];
  for (const name of names) {
    const last = first.at(-1);
    if (first.length >= count && (last === undefined || name >= last)) continue;
    const index = first.findIndex((other) => name < other);
    first.splice(index === -1 ? first.length : index, 0, name);
    if (first.length > count) first.pop();
  }
  return first;
}
