import {
  type ClusterInventory,
  type ConfigMap,
  clusterInventory,
  configMap,
  type KubeObject,
  MANAGED_CLUSTER_MODULE_LABEL,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManifestWork,
  type ModuleImage,
  managedCluster,
  managedClusterModule,
  manifestWork,
  moduleImage,
  type Resource,
} from '@kmm-hub/api-types';
import { type Cache, type KubeClient, type ListOptions, Reflector, sleep } from '@kmm-hub/kube';
import type { RawKernelVersion, ToolkitCatalogueEntry } from '@kmm-hub/rules';
import type { Logger } from 'pino';
import { parseHubConfig } from '../hub-config.ts';
import { architectureOf, kernelsOfCluster } from './kernels.ts';
import { planRecipe, type RecipePlan } from './recipe.ts';
import { selectsCluster } from './selection.ts';

/** The hub's ConfigMap with key controller_config.yaml (upstream's name). */
export const CONFIG_MAP = 'kmm-operator-hub-manager-config';

export type FleetOptions = { client: KubeClient; namespace: string; log: Logger };

/** Everything the hub knows, from caches: deciding costs no request. */
export class Fleet {
  readonly modules: Cache<ManagedClusterModule>;
  readonly clusters: Cache<ManagedCluster>;
  readonly inventories: Cache<ClusterInventory>;
  readonly images: Cache<ModuleImage>;
  readonly works: Cache<ManifestWork>;
  readonly configMaps: Cache<ConfigMap>;
  readonly #reflectors: { run(signal: AbortSignal): Promise<void>; problem: string | undefined; cache: Cache<never> }[];
  readonly #namespace: string;
  readonly #log: Logger;

  constructor({ client, namespace, log }: FleetOptions) {
    this.#namespace = namespace;
    this.#log = log;
    const follow = <T extends KubeObject>(
      resource: Resource<T>,
      options: { select?: ListOptions; indexes?: Record<string, (object: T) => string[]> } = {},
    ) => new Reflector<T>({ client, resource, log, ...options });
    const modules = follow(managedClusterModule as Resource<ManagedClusterModule>);
    const clusters = follow(managedCluster);
    const inventories = follow(clusterInventory);
    const images = follow(moduleImage as Resource<ModuleImage>);
    const works = follow(manifestWork as Resource<ManifestWork>, {
      select: { labelSelector: MANAGED_CLUSTER_MODULE_LABEL },
      indexes: { module: (work) => [work.metadata.labels?.[MANAGED_CLUSTER_MODULE_LABEL] ?? ''] },
    });
    const configMaps = follow(configMap, { select: { namespace } });
    this.modules = modules.cache;
    this.clusters = clusters.cache;
    this.inventories = inventories.cache;
    this.images = images.cache;
    this.works = works.cache;
    this.configMaps = configMaps.cache;
    this.#reflectors = [modules, clusters, inventories, images, works, configMaps] as never;
  }

  run(signal: AbortSignal): Promise<unknown> {
    return Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  /** Resolves once every cache had its first list, or when the signal is aborted. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    while (!this.synced && !signal.aborted) await sleep(20, signal);
  }

  /** True once every cache had its first list: before that, nothing may be deleted. */
  get synced(): boolean {
    return this.#reflectors.every(({ cache }) => cache.synced);
  }

  problems(): string[] {
    return this.#reflectors.flatMap(({ problem }) => problem ?? []);
  }

  /** Names of the clusters that the module selects, sorted. None once it is being deleted. */
  selectedClusters(module: ManagedClusterModule): string[] {
    if (module.metadata.deletionTimestamp !== undefined) return [];
    return this.clusters
      .list()
      .filter((cluster) => selectsCluster(module.spec, cluster, this.#inventoryOf(cluster.metadata.name)))
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  selects(module: ManagedClusterModule, clusterName: string): boolean {
    const cluster = this.clusters.get(clusterName);
    if (cluster === undefined || module.metadata.deletionTimestamp !== undefined) return false;
    return selectsCluster(module.spec, cluster, this.#inventoryOf(clusterName));
  }

  kernelsOf(clusterName: string): RawKernelVersion[] {
    return kernelsOfCluster(this.clusters.get(clusterName), this.#inventoryOf(clusterName));
  }

  /** What the kernel of this cluster needs. */
  recipeOf(module: ManagedClusterModule, clusterName: string, kernel: RawKernelVersion): RecipePlan {
    return planRecipe({
      module,
      kernel,
      architecture: architectureOf(this.#inventoryOf(clusterName), kernel),
      configMap: (name) => this.configMaps.get(`${this.#namespace}/${name}`),
      catalogue: this.#catalogue(),
    });
  }

  /** Every recipe of the module over all its clusters: image name → recipe; the first cluster by name decides. */
  recipesOf(module: ManagedClusterModule): Map<string, Extract<RecipePlan, { kind: 'Recipe' }>> {
    const recipes = new Map<string, Extract<RecipePlan, { kind: 'Recipe' }>>();
    const seen = new Set<string>();
    for (const cluster of this.selectedClusters(module)) {
      for (const kernel of this.kernelsOf(cluster)) {
        const id = `${kernel}\0${architectureOf(this.#inventoryOf(cluster), kernel)}`;
        if (seen.has(id)) continue;
        seen.add(id);
        const plan = this.recipeOf(module, cluster, kernel);
        if (plan.kind === 'Recipe' && !recipes.has(plan.imageName)) recipes.set(plan.imageName, plan);
      }
    }
    return recipes;
  }

  workOf(module: string, cluster: string): ManifestWork | undefined {
    return this.works.get(`${cluster}/${module}`);
  }

  #inventoryOf(cluster: string): ClusterInventory | undefined {
    return this.inventories.get(`${cluster}/${cluster}`);
  }

  #catalogue(): ToolkitCatalogueEntry[] {
    const text = this.configMaps.get(`${this.#namespace}/${CONFIG_MAP}`)?.data?.['controller_config.yaml'];
    return parseHubConfig(text, this.#log).toolkitCatalogue;
  }
}
