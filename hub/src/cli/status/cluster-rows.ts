import type {
  ClusterInventory,
  ManagedCluster,
  ManagedClusterModule,
  ManifestWork,
  ModuleImage,
} from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { type RawKernelVersion, trimKernelVersion } from '@kmm-hub/rules';
import { type ImageState, planWork, problemFrom } from '../../controllers/cluster-work/plan.ts';
import { type ClusterState, clusterState } from '../../controllers/module-status/cluster-state.ts';
import { kernelsOfCluster } from '../../fleet/kernels.ts';
import { clusterProblem, judgeCluster } from '../../fleet/selection.ts';
import { type ImageWord, type KernelTarget, phaseOf, stateOf, targetOf } from '../images.ts';
import { ageOf } from '../output/age.ts';
import type { Cell } from '../output/table.ts';

export type ClusterRow = {
  cluster: string;
  kernels: string[];
  /** The image that is furthest from ready; undefined without kernels, or when images may not be read. */
  image: ImageWord | undefined;
  work: 'Missing' | 'Applying' | 'Applied' | 'Refused' | 'Removing';
  /** Nodes that are to have the module, and have it, as the cluster feeds back. */
  nodes: number;
  loaded: number;
  state: ClusterState['state'] | 'Removing';
  reason: string;
  message: string;
  /** Of the work. */
  created: string | undefined;
};

export type FleetView = {
  module: ManagedClusterModule;
  clusters: readonly ManagedCluster[];
  /** The module's works, by cluster. */
  works: ReadonlyMap<string, ManifestWork>;
  /** By cluster. */
  inventories: ReadonlyMap<string, ClusterInventory>;
  /** By name; undefined when they may not be read. */
  images: ReadonlyMap<string, ModuleImage> | undefined;
};

const ORDER = ['Degraded', 'Removing', 'Progressing', 'Available'];

/** The selected clusters, and those that still have a work; the worst first, by name within. */
export function clusterRows(view: FleetView): ClusterRow[] {
  const { module, clusters, works, inventories } = view;
  const targets = new Map<string, KernelTarget>(); // hundreds of clusters share a kernel
  const targetFor = (kernel: RawKernelVersion) => {
    const target = targets.get(kernel) ?? targetOf(module, kernel);
    targets.set(kernel, target);
    return target;
  };
  const byName = new Map(clusters.map((cluster) => [cluster.metadata.name, cluster]));
  const rows = [...new Set([...byName.keys(), ...works.keys()])].flatMap((name) => {
    const cluster = byName.get(name);
    const selection = cluster && judgeCluster(module.spec, cluster, inventories.get(name));
    const leaving =
      module.metadata.deletionTimestamp !== undefined || selection === undefined || selection === 'deselected';
    const work = works.get(name);
    if (leaving) return work === undefined ? [] : leavingRow(name, work);
    return selection === 'unknown' && work === undefined ? [] : rowOf(view, { name, cluster, targetFor });
  });
  return rows.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.cluster < b.cluster ? -1 : 1));
}

type Selected = {
  name: string;
  cluster: ManagedCluster | undefined;
  targetFor: (kernel: RawKernelVersion) => KernelTarget;
};

function rowOf({ module, works, inventories, images }: FleetView, { name, cluster, targetFor }: Selected): ClusterRow {
  const work = works.get(name);
  const { kernels } = kernelsOfCluster(cluster, inventories.get(name));
  const blocked = blockedBy(module, name);
  const loadsModule = module.spec.moduleSpec?.moduleLoader !== undefined;
  const wanted = loadsModule ? kernels.map((kernel) => ({ kernel, target: targetFor(kernel) })) : [];
  const states = new Map<string, ImageState>();
  const words: ImageWord[] = [];
  for (const { kernel, target } of images === undefined ? [] : wanted) {
    const image = target.kind === 'Target' ? images?.get(target.name) : undefined;
    states.set(trimKernelVersion(kernel), stateOf(target, { image, blocked }));
    words.push(wordOf(target, image));
  }
  const problem = clusterProblem(module.spec, cluster);
  const given = { loadsModule, images: states, ...(problem && { problem: problemFrom(problem) }) };
  const plan = images && planWork({ selected: true, ...given });
  const waiting = plan === undefined || plan.action === 'delete' ? undefined : plan.waiting;
  const reachable = isReachable(cluster);
  const state = clusterState({ reachable, ...(work && { work }), ...(waiting && { waiting }) });
  return {
    cluster: name,
    kernels,
    image: worst(words),
    work: workWord(work),
    nodes: state.nodesDesired,
    loaded: state.nodesAvailable,
    ...{ state: state.state, reason: state.reason, message: state.message },
    created: work?.metadata.creationTimestamp,
  };
}

function leavingRow(cluster: string, work: ManifestWork): ClusterRow {
  const { nodesDesired: nodes, nodesAvailable: loaded } = clusterState({ reachable: true, work });
  const message = 'the cluster is to unload the module; the work goes once it has';
  const gone = { kernels: [], image: undefined, work: 'Removing', state: 'Removing', reason: 'Removing' } as const;
  return { cluster, ...gone, kernels: [], nodes, loaded, message, created: work.metadata.creationTimestamp };
}

/** What the hub says of the cluster, or of the module if the cluster is not among the worst that it names. */
function blockedBy({ status }: ManagedClusterModule, cluster: string): { reason: string; message: string } | undefined {
  const named = status?.worstClusters?.find(({ name }) => name === cluster);
  if (named !== undefined) return named.reason === 'ImagesPending' ? undefined : named;
  const degraded = conditionOf(status?.conditions, 'Degraded');
  return degraded?.status === 'True' ? { reason: degraded.reason, message: degraded.message } : undefined;
}

function wordOf(target: KernelTarget, image: ModuleImage | undefined): ImageWord {
  if (target.kind !== 'Target') return target.kind;
  return image === undefined ? 'NotAsked' : phaseOf(image);
}

const WORST_FIRST: ImageWord[] = [
  'Failed',
  'Missing',
  'Wrong',
  'NotAsked',
  'Pending',
  'Building',
  'Signing',
  'Unmapped',
  'Published',
];

function worst(words: readonly ImageWord[]): ImageWord | undefined {
  return WORST_FIRST.find((word) => words.includes(word));
}

function workWord(work: ManifestWork | undefined): ClusterRow['work'] {
  if (work === undefined) return 'Missing';
  if (work.metadata.deletionTimestamp !== undefined) return 'Removing';
  const applied = conditionOf(work.status?.conditions, 'Applied');
  if (applied?.status === 'False') return 'Refused';
  return applied?.status === 'True' && applied.observedGeneration === work.metadata.generation ? 'Applied' : 'Applying';
}

/** As the hub judges it: a cluster that never reported is not called unreachable yet. */
export function isReachable(cluster: ManagedCluster | undefined): boolean {
  const available = conditionOf(cluster?.status?.conditions, 'ManagedClusterConditionAvailable');
  return available === undefined || available.status === 'True';
}

export const CLUSTER_HEAD = ['CLUSTER', 'KERNELS', 'IMAGE', 'WORK', 'NODES', 'STATE', 'REASON', 'AGE'];

const STYLES = { Degraded: 'red', Removing: 'yellow', Progressing: 'yellow', Available: 'green' } as const;

/** NODES: how many of the wanted ones are loaded. AGE is the work's. */
export function clusterCells(row: ClusterRow, now: Date): Cell[] {
  const [first = '', ...more] = row.kernels;
  return [
    row.cluster,
    more.length === 0 ? first : `${first} +${more.length}`,
    row.image ?? '',
    row.work,
    `${row.loaded}/${row.nodes}`,
    { text: row.state, style: STYLES[row.state] },
    row.reason,
    ageOf(row.created, now),
  ];
}
