import {
  type ClusterInventory,
  type ConfigMap,
  clusterInventory,
  configMap,
  type HubError,
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
import { type HubConfig, parseHubConfig } from '../hub-config.ts';
import { architecturesOf, type ClusterKernels, kernelsOfCluster } from './kernels.ts';
import { planRecipe, type RecipePlan } from './recipe.ts';
import { clusterProblem, judgeCluster, type Selection } from './selection.ts';

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
  /** Parsed once for each text, so that what is wrong in it is warned of once. */
  #config: { text: string | undefined; parsed: HubConfig } | undefined;

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
      .filter((cluster) => judgeCluster(module.spec, cluster, this.#inventoryOf(cluster.metadata.name)) === 'selected')
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  selects(module: ManagedClusterModule, clusterName: string): boolean {
    return this.selectionOf(module, clusterName) === 'selected';
  }

  /** A module that is being deleted, and a cluster that is gone, deselect. */
  selectionOf(module: ManagedClusterModule, clusterName: string): Selection {
    const cluster = this.clusters.get(clusterName);
    if (cluster === undefined || module.metadata.deletionTimestamp !== undefined) return 'deselected';
    return judgeCluster(module.spec, cluster, this.#inventoryOf(clusterName));
  }

  /** What keeps the module off the cluster although it selects it; undefined when nothing does. */
  problemOf(module: ManagedClusterModule, clusterName: string): HubError | undefined {
    return clusterProblem(module.spec, this.clusters.get(clusterName));
  }

  kernelsOf(clusterName: string): ClusterKernels {
    return kernelsOfCluster(this.clusters.get(clusterName), this.#inventoryOf(clusterName));
  }

  /** GOARCH names of the cluster's nodes with this kernel; at least one. */
  architecturesOf(clusterName: string, kernel: RawKernelVersion): string[] {
    return architecturesOf(this.#inventoryOf(clusterName), kernel);
  }

  /** What one kernel needs of a module. */
  planFor(module: ManagedClusterModule, kernel: RawKernelVersion, architecture: string): RecipePlan {
    return planRecipe({
      module,
      kernel,
      architecture,
      configMap: (name) => this.configMaps.get(`${this.#namespace}/${name}`),
      catalogue: this.#catalogue(),
    });
  }

  workOf(module: string, cluster: string): ManifestWork | undefined {
    return this.works.get(`${cluster}/${module}`);
  }

  #inventoryOf(cluster: string): ClusterInventory | undefined {
    return this.inventories.get(`${cluster}/${cluster}`);
  }

  #catalogue(): ToolkitCatalogueEntry[] {
    const text = this.configMaps.get(`${this.#namespace}/${CONFIG_MAP}`)?.data?.['controller_config.yaml'];
    if (this.#config?.text !== text) this.#config = { text, parsed: parseHubConfig(text, this.#log) };
    return this.#config?.parsed.toolkitCatalogue ?? [];
  }
}
