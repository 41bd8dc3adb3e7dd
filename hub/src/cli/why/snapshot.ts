import type {
  ClusterInventory,
  ConfigMap,
  ManagedCluster,
  ManagedClusterModule,
  ManifestWork,
  Module,
  ModuleImage,
  Node,
  NodeModulesConfig,
} from '@kmm-hub/api-types';
import type { Reading } from '../readings.ts';

/** Everything between one module and one cluster at one moment, as far as it may be read. */
export type Snapshot = {
  module: string;
  cluster: string;
  /** Namespace of the hub. */
  namespace: string;
  now: Date;
  managedClusterModule: Reading<ManagedClusterModule>;
  managedCluster: Reading<ManagedCluster>;
  inventory: Reading<ClusterInventory>;
  /** Of the kernels of the cluster, by name. */
  images: ReadonlyMap<string, Reading<ModuleImage>>;
  /** Dockerfiles and the hub's configuration, by name; what was not looked for is not in it. */
  configMaps: ReadonlyMap<string, Reading<ConfigMap>>;
  work: Reading<ManifestWork>;
  /** With a kubeconfig of the cluster. */
  spoke?: SpokeSnapshot;
};

export type SpokeSnapshot = {
  module: Reading<Module>;
  /** Nodes that the Module selects. */
  nodes: Reading<Node[]>;
  configs: Reading<NodeModulesConfig[]>;
};
