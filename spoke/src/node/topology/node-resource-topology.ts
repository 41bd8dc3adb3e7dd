import { apiVersionOf, type NodeResourceTopology, nodeResourceTopology, type Zone } from '@kmm-hub/api-types';
import type { NumaZone } from './numa-zones.ts';

export type TopologyOptions = {
  /** Of the kubelet's configuration; default `none`. */
  policy?: string;
  /** Of the kubelet's configuration; default `container`. */
  scope?: string;
  /** Core lists of a hybrid CPU, `cpu_atom` → `4-7`: the elements of the feature set `cpu.coretype`. */
  coreLists?: Readonly<Record<string, string>>;
};

const POLICIES: Readonly<Record<string, string>> = {
  'single-numa-node': 'SingleNUMANode',
  restricted: 'Restricted',
  'best-effort': 'BestEffort',
};
const SCOPES: Readonly<Record<string, string>> = { container: 'ContainerLevel', pod: 'PodLevel' };

/**
 * The node's topology as v1alpha2, with the deprecated policies filled in so that v1alpha1 can be served from it.
 * Without the kubelet's PodResources nothing is known of what pods hold: allocatable and available equal capacity.
 * Quantities are integers, cpu in CPUs and the others in bytes. Sorted: an unchanged node gives an equal object.
 */
export function nodeResourceTopologyFor(
  nodeName: string,
  zones: readonly NumaZone[],
  { policy = 'none', scope = 'container', coreLists = {} }: TopologyOptions = {},
): NodeResourceTopology {
  const cores = Object.entries(coreLists).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    apiVersion: apiVersionOf(nodeResourceTopology),
    kind: nodeResourceTopology.kind,
    metadata: { name: nodeName },
    topologyPolicies: [policyOf(policy, scope)],
    attributes: [
      { name: 'topologyManagerPolicy', value: policy },
      { name: 'topologyManagerScope', value: scope },
      ...cores.map(([name, value]) => ({ name, value })),
    ],
    zones: zones.map(zoneOf),
  };
}

/** `restricted`, `pod` → `RestrictedPodLevel`; whatever is not known → `None`. */
function policyOf(policy: string, scope: string): string {
  const [name, level] = [POLICIES[policy], SCOPES[scope]];
  return name === undefined || level === undefined ? 'None' : name + level;
}

function zoneOf({ id, cpus, memoryBytes, hugepageBytes, distances }: NumaZone): Zone {
  const hugepages = Object.entries(hugepageBytes).map(([size, bytes]) => [`hugepages-${size}`, bytes] as const);
  const amounts = [['cpu', cpus] as const, ...hugepages, ['memory', memoryBytes] as const];
  return {
    name: `node-${id}`,
    type: 'Node',
    costs: [...distances].map(([other, value]) => ({ name: `node-${other}`, value })),
    resources: amounts
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, amount]) => {
        const quantity = String(amount);
        return { name, capacity: quantity, allocatable: quantity, available: quantity };
      }),
  };
}
