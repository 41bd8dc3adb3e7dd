import type { NodeGroup } from '@kmm-hub/api-types';
import type { NodeFacts } from './node-facts.ts';

/** The CRD's limit for the names that a group shows. */
const SHOWN_NODES = 20;

/**
 * Alike: kernel, architecture, system, Secure Boot, features and the names of NUMA zones. What the zones hold is no part of
 * it, since hardly two machines have the same number of bytes.
 */
export function exactGroupKey({ features, zones, ...facts }: NodeFacts): string {
  return JSON.stringify([coarseGroupKey(facts), features, zones.map(({ name }) => name)]);
}

/** Alike in what decides which image a node gets. */
export function coarseGroupKey({
  kernelVersion,
  architecture,
  osImage,
  secureBoot,
}: Pick<NodeFacts, 'kernelVersion' | 'architecture' | 'osImage' | 'secureBoot'>): string {
  return JSON.stringify([kernelVersion, architecture, osImage, secureBoot]);
}

/** Groups by a key; the largest first, groups of one size by their first node. Independent of the order of `nodes`. */
export function groupNodes(nodes: readonly NodeFacts[], keyOf: (facts: NodeFacts) => string): NodeGroup[] {
  const groups = Map.groupBy([...nodes].sort(byFirstNode), keyOf);
  return [...groups.values()].map(merge).sort((a, b) => b.count - a.count || byFirstNode(a, b));
}

function merge(nodes: readonly NodeFacts[]): NodeGroup {
  const [first] = nodes as [NodeFacts];
  const features = nodes.map((node) => node.features).reduce(sharedEntries);
  const zones = nodes.map((node) => node.zones).reduce(sharedZones);
  const modules = countModules(nodes);
  const { zones: _zones, modules: _modules, ...facts } = first;
  return {
    ...facts,
    count: nodes.length,
    nodes: nodes.slice(0, SHOWN_NODES).flatMap((node) => node.nodes),
    features,
    ...(zones.length > 0 && { zones }),
    ...(modules.length > 0 && { modules }),
  };
}

function sharedEntries<V extends string | number>(a: Record<string, V>, b: Record<string, V>): Record<string, V> {
  return Object.fromEntries(Object.entries(a).filter(([key, value]) => String(b[key]) === String(value)));
}

function sharedZones(a: NodeFacts['zones'], b: NodeFacts['zones']): NodeFacts['zones'] {
  return a.flatMap(({ name, resources = {} }) => {
    const other = b.find((zone) => zone.name === name);
    return other === undefined ? [] : [{ name, resources: sharedEntries(resources, other.resources ?? {}) }];
  });
}

function countModules(nodes: readonly NodeFacts[]): NodeFacts['modules'] {
  const same = Map.groupBy(
    nodes.flatMap((node) => node.modules),
    ({ name, image = '', state }) => JSON.stringify([name, image, state]),
  );
  const sorted = [...same].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([, [first, ...rest]]) => (first === undefined ? [] : [{ ...first, count: 1 + rest.length }]));
}

function byFirstNode(a: Pick<NodeGroup, 'nodes'>, b: Pick<NodeGroup, 'nodes'>): number {
  return (a.nodes[0] ?? '') < (b.nodes[0] ?? '') ? -1 : 1;
}
