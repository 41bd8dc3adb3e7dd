import type { ClusterInventory, Node, NodeFeature, NodeModulesConfig, NodeResourceTopology } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';

export type ClusterInventoryDeps = {
  /** Of the hub. */
  client: Pick<KubeClient, 'create' | 'replace'>;
  /** Name of the inventory and of its namespace on the hub. */
  clusterName: string;
  agentNamespace: string;
  nodes: Cache<Node>;
  features: Cache<NodeFeature>;
  topologies: Cache<NodeResourceTopology>;
  configs: Cache<NodeModulesConfig>;
  inventories: Cache<ClusterInventory>;
  log: Logger;
};
