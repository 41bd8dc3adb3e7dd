import type { ManagedClusterModule, ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { imagesOfModule, phaseOf } from '../images.ts';
import { ageOf } from '../output/age.ts';
import type { Cell } from '../output/table.ts';

/** One ManagedClusterModule; numbers are those of its status, which the hub writes. */
export type FleetRow = {
  name: string;
  /** Clusters that the selectors match, and of these: works applied, all wanted nodes loaded, in need of a person. */
  clusters: number;
  applied: number;
  available: number;
  degraded: number;
  /** Nodes that are to have the module, and have it. */
  nodes: number;
  loaded: number;
  /** Undefined when images may not be read. */
  images: { wanted: number; published: number } | undefined;
  created: string | undefined;
  reason: string;
  message: string;
};

/** What needs a person comes first, then what is under way; by name within. */
export function fleetRows(
  modules: readonly ManagedClusterModule[],
  images: readonly ModuleImage[] | undefined,
): FleetRow[] {
  return modules.map((module) => rowOf(module, images)).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

function rowOf(module: ManagedClusterModule, images: readonly ModuleImage[] | undefined): FleetRow {
  const { metadata, status = {} } = module;
  const available = conditionOf(status.conditions, 'Available');
  const own = images && imagesOfModule(module, images);
  const isCurrent = status.observedGeneration === metadata.generation;
  return {
    name: metadata.name,
    clusters: status.numberSelected ?? 0,
    applied: status.numberApplied ?? 0,
    available: status.numberAvailable ?? 0,
    degraded: status.numberDegraded ?? 0,
    nodes: status.nodesDesired ?? 0,
    loaded: status.nodesAvailable ?? 0,
    images: own && { wanted: own.length, published: own.filter((image) => phaseOf(image) === 'Published').length },
    created: metadata.creationTimestamp,
    reason: isCurrent ? (available?.reason ?? 'Unknown') : 'NotSeenYet',
    message: isCurrent ? (available?.message ?? '') : 'the hub has not acted on the last change yet',
  };
}

function rank({ degraded, reason }: FleetRow): number {
  if (degraded > 0) return 0;
  return reason === 'Loaded' ? 2 : 1;
}

export const FLEET_HEAD = ['NAME', 'CLUSTERS', 'APPLIED', 'AVAILABLE', 'DEGRADED', 'NODES', 'IMAGES', 'AGE', 'REASON'];

/** NODES and IMAGES: how many of the wanted ones are loaded, and published. */
export function fleetCells(row: FleetRow, now: Date): Cell[] {
  const { name, clusters, applied, available, degraded, nodes, loaded, images, created, reason } = row;
  return [
    name,
    String(clusters),
    String(applied),
    String(available),
    degraded > 0 ? { text: String(degraded), style: 'red' } : '0',
    `${loaded}/${nodes}`,
    images === undefined ? '?' : `${images.published}/${images.wanted}`,
    ageOf(created, now),
    { text: reason, style: (['red', 'yellow', 'green'] as const)[rank(row)] ?? 'green' },
  ];
}
