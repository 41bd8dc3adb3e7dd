import { isDeepStrictEqual } from 'node:util';
import {
  type ClusterClaim,
  type ClusterInventory,
  clusterClaim,
  clusterInventory,
  KERNEL_VERSIONS_CLAIM,
  type Module,
  module,
  type Node,
  type NodeFeature,
  type NodeModulesConfig,
  type NodeResourceTopology,
  node,
  nodeFeature,
  nodeModulesConfig,
  nodeResourceTopology,
  type Resource,
} from '@kmm-hub/api-types';
import { type KubeClient, Reflector } from '@kmm-hub/kube';
import type { Logger } from 'pino';

/** NFD's list of the labels that it manages on a Node (upstream's annotation, so that labels are taken over from it). */
export const FEATURE_LABELS_ANNOTATION = 'nfd.node.kubernetes.io/feature-labels';
/** Attribute set in which the node agent reports Secure Boot: element `enabled`, "true" or "false". */
export const SECURE_BOOT_ATTRIBUTES = 'system.secureboot';
/** Index of NodeModulesConfigs by `namespace/name` of the modules in their spec or status. */
export const BY_MODULE = 'module';
/** Index of Modules by their namespace. */
export const BY_NAMESPACE = 'namespace';

/** Everything that the cluster agent reads, kept in memory; all but `inventories` are of the spoke. */
export type ClusterCaches = {
  nodes: Reflector<Node>;
  modules: Reflector<Module>;
  configs: Reflector<NodeModulesConfig>;
  features: Reflector<NodeFeature>;
  topologies: Reflector<NodeResourceTopology>;
  claims: Reflector<ClusterClaim>;
  inventories: Reflector<ClusterInventory>;
};

export type CacheSources = {
  spoke: KubeClient;
  hub: KubeClient;
  clusterName: string;
  agentNamespace: string;
  log: Logger;
};

export function clusterCaches({ spoke, hub, clusterName, agentNamespace, log }: CacheSources): ClusterCaches {
  const own = { client: spoke, log };
  const inventory = { namespace: clusterName, fieldSelector: `metadata.name=${clusterName}` };
  return {
    nodes: new Reflector({ ...own, resource: node, trim: trimNode }),
    modules: new Reflector({
      ...own,
      resource: module as Resource<Module>,
      indexes: { [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''] },
    }),
    configs: new Reflector({ ...own, resource: nodeModulesConfig, indexes: { [BY_MODULE]: modulesOf } }),
    features: new Reflector({
      ...own,
      resource: nodeFeature,
      select: { namespace: agentNamespace },
      trim: trimNodeFeature,
    }),
    topologies: new Reflector({ ...own, resource: nodeResourceTopology }),
    claims: new Reflector({
      ...own,
      resource: clusterClaim,
      select: { fieldSelector: `metadata.name=${KERNEL_VERSIONS_CLAIM}` },
    }),
    inventories: new Reflector({ client: hub, log, resource: clusterInventory, select: inventory }),
  };
}

/** Two versions of a Node that no controller here would treat differently: kubelets write heartbeats all day. */
export function isSameNode(old: Node | undefined, current: Node | undefined): boolean {
  if (old === undefined || current === undefined) return old === current;
  return isDeepStrictEqual(withoutVersion(old), withoutVersion(current));
}

/** `namespace/name` of each module that the node is to have or still has. */
export function modulesOf({ spec, status }: NodeModulesConfig): string[] {
  const items = [...(spec?.modules ?? []), ...(status?.modules ?? [])];
  return [...new Set(items.map(moduleKeyOf))];
}

/** The key of the Module that an entry of a NodeModulesConfig is about. */
export function moduleKeyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

function trimNode({ metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, deletionTimestamp, labels, annotations } = metadata;
  const tracked = annotations?.[FEATURE_LABELS_ANNOTATION];
  return {
    metadata: {
      name,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(labels && { labels }),
      ...(tracked !== undefined && { annotations: { [FEATURE_LABELS_ANNOTATION]: tracked } }),
    },
    spec: { ...(spec?.taints && { taints: spec.taints }) },
    status: { ...(status?.nodeInfo && { nodeInfo: status.nodeInfo }) },
  };
}

/** Raw features are large (the kernel's configuration alone is 100 kB) and read by nobody here but for Secure Boot. */
function trimNodeFeature({ metadata, spec }: NodeFeature): NodeFeature {
  const secureBoot = spec?.features?.attributes?.[SECURE_BOOT_ATTRIBUTES];
  return {
    metadata,
    spec: {
      ...(spec?.labels && { labels: spec.labels }),
      ...(secureBoot && { features: { attributes: { [SECURE_BOOT_ATTRIBUTES]: secureBoot } } }),
    },
  };
}

function withoutVersion({ metadata: { resourceVersion: _, ...metadata }, ...rest }: Node) {
  return { metadata, ...rest };
}
