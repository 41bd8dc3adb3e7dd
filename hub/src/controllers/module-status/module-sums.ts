import { type ClusterEntry, ClusterSums } from './cluster-sums.ts';

export type ModuleSumsOptions = {
  /** What a cluster adds to a module's sums now; undefined for nothing. */
  look: (module: string, cluster: string) => ClusterEntry | undefined;
  /** Clusters that may add something, beside those that did. */
  clustersOf: (module: string) => Iterable<string>;
};

type Kept = { sums: ClusterSums; dirty: Set<string> | 'every cluster' };

/** The sums of every module. A change marks what it touches; it is looked at again when the sums are next asked for. */
export class ModuleSums {
  readonly #modules = new Map<string, Kept>();
  readonly #options: ModuleSumsOptions;

  constructor(options: ModuleSumsOptions) {
    this.#options = options;
  }

  /** One cluster changed for the module; or the module itself, which is every cluster. */
  touch(module: string, cluster?: string): void {
    const kept = this.#modules.get(module);
    if (kept === undefined || kept.dirty === 'every cluster') return; // all of it will be looked at anyway
    if (cluster === undefined) kept.dirty = 'every cluster';
    else kept.dirty.add(cluster);
  }

  of(module: string): ClusterSums {
    const { look, clustersOf } = this.#options;
    const { sums, dirty } = this.#modules.get(module) ?? { sums: new ClusterSums(), dirty: 'every cluster' };
    const clusters = dirty === 'every cluster' ? new Set([...sums.names(), ...clustersOf(module)]) : dirty;
    for (const cluster of clusters) sums.set(cluster, look(module, cluster));
    this.#modules.set(module, { sums, dirty: new Set() });
    return sums;
  }

  /** The module is gone. */
  forget(module: string): void {
    this.#modules.delete(module);
  }
}
