import type { ClusterInventorySpec, NodeGroup } from '@kmm-hub/api-types';
import { coarseGroupKey, exactGroupKey, groupNodes } from './group.ts';
import { factsOf, type NodeFacts, type NodeSources } from './node-facts.ts';

/** Limits of one inventory: the bytes are the design's, the counts are those of the CRD. */
export const inventoryLimits = {
  bytes: 32 * 1024,
  kernels: 64,
  groups: 64,
  modules: 64,
  zones: 16,
  resources: 32,
  features: 256,
};

/**
 * Sums up the nodes of a cluster. What looks alike is one group, however many nodes it has, so that most clusters take less
 * than 8 KiB. An inventory over a limit loses node names beyond three a group, then zones, then modules; if that is not
 * enough, first the difference between groups of the same kernel and system, then features, then the smallest groups.
 * `truncated` says that something is missing. Features go late, since the hub selects clusters by them; kernels are never
 * left out for size, since the hub builds images for them.
 */
export function planInventory(sources: readonly NodeSources[]): ClusterInventorySpec {
  const facts = sources.flatMap((source) => factsOf(source) ?? []);
  const kernels = [...new Set(facts.map(({ kernelVersion }) => kernelVersion))].sort();
  const kernelVersions = kernels.slice(0, inventoryLimits.kernels);
  let truncated = kernels.length > kernelVersions.length;
  let spec: ClusterInventorySpec = { kernelVersions, nodeCount: sources.length, groups: [] };
  for (const groups of smallerAndSmaller(facts)) {
    spec = { ...spec, groups, ...(truncated && { truncated }) };
    if (fits(spec)) break;
    truncated = true;
  }
  return spec;
}

const REDUCTIONS: readonly ((group: NodeGroup) => NodeGroup)[] = [
  (group) => ({ ...group, nodes: group.nodes.slice(0, 3) }),
  ({ zones: _, ...group }) => group,
  ({ modules: _, ...group }) => group,
];

/** The last one has no groups at all, which always fits. */
function* smallerAndSmaller(facts: readonly NodeFacts[]): Generator<NodeGroup[]> {
  let groups: NodeGroup[] = [];
  for (const keyOf of [exactGroupKey, coarseGroupKey]) {
    groups = groupNodes(facts, keyOf);
    yield groups;
    for (const reduce of REDUCTIONS) {
      groups = groups.map(reduce);
      yield groups;
    }
  }
  groups = groups.map((group) => ({ ...group, features: {} }));
  for (let left = groups.length; left >= 0; left -= 1) yield groups.slice(0, left);
}

function fits(spec: ClusterInventorySpec): boolean {
  return (
    spec.groups.length <= inventoryLimits.groups &&
    spec.groups.every(isWithinCounts) &&
    Buffer.byteLength(JSON.stringify(spec)) <= inventoryLimits.bytes
  );
}

function isWithinCounts({ features, zones = [], modules = [] }: NodeGroup): boolean {
  return (
    Object.keys(features).length <= inventoryLimits.features &&
    modules.length <= inventoryLimits.modules &&
    zones.length <= inventoryLimits.zones &&
    zones.every(({ resources = {} }) => Object.keys(resources).length <= inventoryLimits.resources)
  );
}
