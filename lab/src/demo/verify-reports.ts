import {
  clusterInventory,
  KERNEL_VERSIONS_CLAIM,
  managedCluster,
  nodeFeature,
  nodeResourceTopology,
  node as nodes,
  SPOKE_NAMESPACE,
} from '@kmm-hub/api-types';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { FleetNode } from '../world/world.ts';
import { readBack, Unexpected } from './read-back.ts';

/** What one node reports, as it is on its spoke and in the hub's ClusterInventory. */
export type NodeReport = { node: string; labels: string[]; sets: number; zones: string[]; inventory: string };

/** Waits until the node's features are labels of the Node, its zones are a topology, and both are in the inventory. */
export function reported(hub: ControlPlane, node: FleetNode, signal: AbortSignal): Promise<NodeReport> {
  const check = async (limit: AbortSignal) => {
    const [features, zones] = [await labelledFeatures(node, limit), await zonesOf(node, limit)];
    const kernel = await node.node.probe.release(limit);
    const inventory = await inventoryWith(hub, { node, kernel, zones: zones.length }, limit);
    return { node: node.plan.name, ...features, zones, inventory };
  };
  return readBack(`what ${node.plan.name} reports`, check, signal);
}

/** The first part of the names of NFD's feature sets. */
const SOURCES = ['kernel', 'cpu', 'memory', 'pci', 'storage', 'system'];

async function labelledFeatures({ spoke: { client }, plan: { name } }: FleetNode, signal: AbortSignal) {
  const feature = await client.getIfPresent(nodeFeature, { namespace: SPOKE_NAMESPACE, name }, signal);
  const onNode = (await client.get(nodes, { name }, signal)).metadata.labels ?? {};
  const labels = Object.entries(feature?.spec?.labels ?? {});
  if (labels.length === 0) throw new Unexpected('there is no NodeFeature with labels');
  const missing = labels.find(([key, value]) => onNode[key] !== value);
  if (missing !== undefined) throw new Unexpected(`label ${missing[0]} is not on the Node`);
  const { flags, attributes, instances } = feature?.spec?.features ?? {};
  const sets = [flags, attributes, instances].flatMap((part) => Object.keys(part ?? {}));
  const silent = SOURCES.filter((source) => !sets.some((set) => set.startsWith(`${source}.`)));
  if (silent.length > 0) throw new Unexpected(`nothing is reported of ${silent.join(', ')}`);
  return { labels: labels.map(([key, value]) => `${key}=${value}`), sets: sets.length };
}

async function zonesOf({ spoke, plan }: FleetNode, signal: AbortSignal): Promise<string[]> {
  const topology = await spoke.client.getIfPresent(nodeResourceTopology, { name: plan.name }, signal);
  if (!topology?.zones.length) throw new Unexpected('there is no NodeResourceTopology with zones');
  return topology.zones.map((zone) => zone.name);
}

/** The node's group in its cluster's inventory, in words. */
async function inventoryWith(
  hub: ControlPlane,
  { node: { spoke, plan }, kernel, zones }: { node: FleetNode; kernel: string; zones: number },
  signal: AbortSignal,
): Promise<string> {
  const { spec } = (await inventoryOf(hub, spoke.name, signal)) ?? {};
  const group = spec?.groups.find(({ kernelVersion, nodes }) => kernelVersion === kernel && nodes.includes(plan.name));
  if (group === undefined) throw new Unexpected('the ClusterInventory lacks the node with its kernel');
  if (group.secureBoot !== plan.secureBoot)
    throw new Unexpected(`the ClusterInventory says Secure Boot: ${group.secureBoot}`);
  if (group.zones?.length !== zones) throw new Unexpected('the ClusterInventory lacks the zones');
  const features = Object.keys(group.features).length;
  if (features === 0) throw new Unexpected('the ClusterInventory lacks the features');
  const firmware = group.secureBoot ? ', Secure Boot' : '';
  return `group of ${group.count}, ${features} features, ${zones} NUMA zone${zones === 1 ? '' : 's'}${firmware}`;
}

function inventoryOf({ client }: ControlPlane, cluster: string, signal: AbortSignal) {
  return client.getIfPresent(clusterInventory, { namespace: cluster, name: cluster }, signal);
}

/** Waits until claim and inventory of a cluster both name just this kernel, for all of its nodes. */
export async function onlyKernel(
  hub: ControlPlane,
  { cluster, kernel, nodes }: { cluster: string; kernel: string; nodes: number },
  signal: AbortSignal,
): Promise<void> {
  const check = async (limit: AbortSignal) => {
    const { status } = await hub.client.get(managedCluster, { name: cluster }, limit);
    const claim = status?.clusterClaims?.find(({ name }) => name === KERNEL_VERSIONS_CLAIM)?.value;
    if (claim !== kernel) throw new Unexpected(`the claim says ${JSON.stringify(claim)}`);
    const groups = (await inventoryOf(hub, cluster, limit))?.spec?.groups ?? [];
    const counted = groups.map(({ kernelVersion, count }) => `${count} × ${kernelVersion}`).join(', ');
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    if (count !== nodes || groups.some(({ kernelVersion }) => kernelVersion !== kernel)) {
      throw new Unexpected(`the inventory says ${counted}`);
    }
    return true;
  };
  await readBack(`kernel ${kernel} in claim and inventory of ${cluster}`, check, signal);
}
