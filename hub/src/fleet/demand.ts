import type { ManagedClusterModule, ModuleImageSpec } from '@kmm-hub/api-types';
import type { RawKernelVersion } from '@kmm-hub/rules';
import type { Fleet } from './fleet.ts';
import type { RecipePlan } from './recipe.ts';

export type Recipe = Extract<RecipePlan, { kind: 'Recipe' }>;

type KernelOfCluster = { kernel: RawKernelVersion; architecture: string };

/** What one kernel needs of a module. */
export type KernelPlan = { kernel: RawKernelVersion; plan: RecipePlan };

/** One module: which kernels its clusters run, and what each kernel needs. Kernels are keyed with their architecture. */
type ModuleDemand = {
  clusters: Map<string, readonly string[]>;
  kernels: Map<string, KernelPlan & { clusters: number }>;
  targets: ReadonlyMap<string, Target>;
};

/** One image of a module: the recipes that its kernels have for it, more than one being a conflict, and who needs it. */
type Target = { first: Recipe; others: Recipe[]; clusters: number };

/** The recipe that counts for a target. */
export type Winner = { recipe: Recipe; owner: ManagedClusterModule };

/**
 * Which images are wanted, by which modules, for which clusters. Kept per module and cluster and worked out again, on the
 * next question, only where something changed: one cluster's event costs one cluster's work, however large the fleet is.
 */
export class Demand {
  readonly #fleet: Fleet;
  readonly #modules = new Map<string, ModuleDemand>();
  /** Image name → the modules that want it. */
  readonly #wanters = new Map<string, Set<string>>();
  /** Module → the clusters to look at again. */
  readonly #dirty = new Map<string, Set<string> | 'every cluster'>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** The module itself, or something that all its recipes depend on, changed. */
  touch(module: string): void {
    this.#dirty.set(module, 'every cluster');
  }

  /** One cluster changed in labels, kernels or features. */
  touchCluster(module: string, cluster: string): void {
    const dirty = this.#dirty.get(module) ?? new Set();
    if (dirty !== 'every cluster') this.#dirty.set(module, dirty.add(cluster));
  }

  /** The clusters that the module selected when it was last asked about: those that a change may have deselected. */
  lastClustersOf(module: string): string[] {
    return [...(this.#modules.get(module)?.clusters.keys() ?? [])];
  }

  /** As lastClustersOf, for one cluster. */
  lastSelected(module: string, cluster: string): boolean {
    return this.#modules.get(module)?.clusters.has(cluster) === true;
  }

  /** What the kernels of a cluster need, kernels sorted; none when the module does not select it, or it cannot run the module. */
  plansFor(module: string, cluster: string): KernelPlan[] {
    const demand = this.#refreshed().get(module);
    return (demand?.clusters.get(cluster) ?? []).flatMap((id) => demand?.kernels.get(id) ?? []);
  }

  /** The clusters that run a kernel for which the module wants this image. */
  clustersFor(module: string, imageName: string): string[] {
    const demand = this.#refreshed().get(module);
    if (demand === undefined) return [];
    const ids = new Set([...demand.kernels].filter(([, { plan }]) => wants(plan, imageName)).map(([id]) => id));
    return [...demand.clusters].filter(([, kernels]) => kernels.some((id) => ids.has(id))).map(([name]) => name);
  }

  /** How many clusters, over all modules, need the image: what many wait for is made first. */
  weightOf(imageName: string): number {
    const targets = this.wanters(imageName).flatMap(
      (module) => this.#modules.get(module)?.targets.get(imageName) ?? [],
    );
    return targets.reduce((sum, { clusters }) => sum + clusters, 0);
  }

  /**
   * The recipe that counts for an image: of several modules that want it, the oldest one's. Of several kernels or
   * architectures of one module, the one that the image was made for, so that a cluster which comes later never takes it
   * away from those that have it; else the first by name.
   */
  recipeFor(imageName: string): Winner | undefined {
    const modules = this.wanters(imageName).flatMap((name) => this.#fleet.modules.get(name) ?? []);
    const [owner] = modules.sort(byAge);
    const target = owner && this.#modules.get(owner.metadata.name)?.targets.get(imageName);
    if (target === undefined || owner === undefined) return undefined;
    const made = this.#fleet.images.get(imageName)?.spec;
    return {
      recipe: target.others.find((recipe) => made !== undefined && isSameKernel(recipe.spec, made)) ?? target.first,
      owner,
    };
  }

  /** Names of the modules that want the image. */
  wanters(imageName: string): string[] {
    this.#refreshed();
    return [...(this.#wanters.get(imageName) ?? [])];
  }

  /** Names of the images that the module wants. */
  imagesOf(module: string): string[] {
    return [...(this.#refreshed().get(module)?.targets.keys() ?? [])];
  }

  /** The recipe that counts for this target instead of this one; undefined when there is no conflict. */
  conflictOf(recipe: Recipe): Winner | undefined {
    const winner = this.recipeFor(recipe.imageName);
    return winner?.recipe.spec.recipeKey === recipe.spec.recipeKey ? undefined : winner;
  }

  #refreshed(): ReadonlyMap<string, ModuleDemand> {
    for (const [name, clusters] of this.#dirty) this.#refresh(name, clusters);
    this.#dirty.clear();
    return this.#modules;
  }

  #refresh(name: string, dirty: ReadonlySet<string> | 'every cluster'): void {
    const module = this.#fleet.modules.get(name);
    const known = this.#modules.get(name);
    const before = known?.targets;
    const anew = dirty === 'every cluster' || known === undefined || module === undefined;
    const demand: ModuleDemand = anew ? { clusters: new Map(), kernels: new Map(), targets: new Map() } : known;
    for (const cluster of anew ? this.#selectedClusters(module) : dirty) this.#planCluster(demand, module, cluster);
    demand.targets = targetsOf(demand);
    this.#setWanter(name, before, demand.targets);
    if (demand.clusters.size === 0) this.#modules.delete(name);
    else this.#modules.set(name, demand);
  }

  #selectedClusters(module: ManagedClusterModule | undefined): string[] {
    return module === undefined ? [] : this.#fleet.selectedClusters(module);
  }

  #planCluster(demand: ModuleDemand, module: ManagedClusterModule | undefined, cluster: string): void {
    const before = demand.clusters.get(cluster) ?? [];
    if (module !== undefined && this.#fleet.selects(module, cluster)) {
      const ids = this.#kernelsFor(module, cluster).map((kernel) => this.#planKernel(demand, module, kernel));
      demand.clusters.set(cluster, ids);
    } else demand.clusters.delete(cluster);
    for (const id of before) release(demand, id); // after the new ones were taken: a kernel that stays is planned once
  }

  /** What is needed for a selected cluster: nothing as long as it cannot run the module. */
  #kernelsFor(module: ManagedClusterModule, cluster: string): KernelOfCluster[] {
    if (this.#fleet.problemOf(module, cluster) !== undefined) return [];
    const { kernels } = this.#fleet.kernelsOf(cluster);
    return kernels.flatMap((kernel) =>
      this.#fleet.architecturesOf(cluster, kernel).map((architecture) => ({ kernel, architecture })),
    );
  }

  /** Counts one more cluster with the kernel; the answer is the kernel's key. */
  #planKernel(demand: ModuleDemand, module: ManagedClusterModule, { kernel, architecture }: KernelOfCluster): string {
    const id = `${kernel}\0${architecture}`;
    const known = demand.kernels.get(id);
    if (known === undefined) {
      const plan = this.#fleet.planFor(module, kernel, architecture);
      demand.kernels.set(id, { kernel, plan, clusters: 1 });
    } else known.clusters += 1;
    return id;
  }

  #setWanter(module: string, before: ReadonlyMap<string, Target> | undefined, now: ReadonlyMap<string, Target>): void {
    for (const image of now.keys()) this.#wanters.set(image, (this.#wanters.get(image) ?? new Set()).add(module));
    for (const image of before?.keys() ?? []) {
      if (now.has(image)) continue;
      const wanters = this.#wanters.get(image);
      wanters?.delete(module);
      if (wanters?.size === 0) this.#wanters.delete(image);
    }
  }
}

function release({ kernels }: ModuleDemand, id: string): void {
  const entry = kernels.get(id);
  if (entry === undefined) return;
  entry.clusters -= 1;
  if (entry.clusters === 0) kernels.delete(id);
}

/** By image name. Sorted, so that the order of events decides nothing. */
function targetsOf({ kernels }: ModuleDemand): Map<string, Target> {
  const targets = new Map<string, Target>();
  for (const [, { plan, clusters }] of [...kernels].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (plan.kind !== 'Recipe') continue;
    const known = targets.get(plan.imageName);
    if (known === undefined) targets.set(plan.imageName, { first: plan, others: [], clusters });
    else {
      known.clusters += clusters;
      known.others.push(plan);
    }
  }
  return targets;
}

function isSameKernel(a: ModuleImageSpec, b: ModuleImageSpec): boolean {
  return a.kernelVersion === b.kernelVersion && a.architecture === b.architecture;
}

function wants(plan: RecipePlan, imageName: string): boolean {
  return plan.kind === 'Recipe' && plan.imageName === imageName;
}

function byAge(a: ManagedClusterModule, b: ManagedClusterModule): number {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ''}\0${metadata.name}`);
  return (first ?? '') < (second ?? '') ? -1 : 1;
}
