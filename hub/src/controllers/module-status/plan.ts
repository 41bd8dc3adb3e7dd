import type { FeedbackValue, ManagedClusterModule, ManagedClusterModuleStatus, ManifestWork } from '@kmm-hub/api-types';
import { type ConditionUpdate, conditionOf } from '@kmm-hub/kube';
import type { Waiting } from '../cluster-work/plan.ts';

/** One selected cluster as the hub sees it. */
export type ClusterView = {
  name: string;
  /** False when the hub has not heard of the cluster for its grace time. */
  reachable: boolean;
  work?: ManifestWork;
  waiting?: Waiting;
};

export type ClusterState = {
  state: 'Available' | 'Progressing' | 'Degraded';
  reason: string;
  message: string;
  nodesDesired: number;
  nodesAvailable: number;
};

const WORST = 10;
/** Of nodes, generations: no honest cluster has more, and 10,000 of them still add up exactly. */
const MAX_COUNT = 100_000_000;

/**
 * Where one cluster stands. First match wins:
 * 1. something a person must mend keeps its image or work away. 2. the image is pending. 3. the cluster is unreachable:
 * its modules stay, it is no failure yet. 4. the work was refused. 5. the work, or the Module behind it, is of an older
 * generation. 6. the spoke reports a problem. 7. not every node has the module. 8. all have.
 */
export function clusterState({ reachable, work, waiting }: ClusterView): ClusterState {
  const feedback = new Map(valuesOf(work).map(({ name, fieldValue }) => [name, fieldValue]));
  const number = (name: string) => countOf(feedback.get(name)?.integer);
  const nodesDesired = number('moduleLoader.desiredNumber');
  const nodesAvailable = number('moduleLoader.availableNumber');
  const answer = (state: ClusterState['state'], reason: string, message: string): ClusterState => ({
    state,
    reason,
    message,
    nodesDesired,
    nodesAvailable,
  });
  if (waiting !== undefined && !waiting.pending) return answer('Degraded', waiting.reason, waiting.message);
  if (waiting !== undefined) return answer('Progressing', waiting.reason, waiting.message);
  if (work === undefined) return answer('Progressing', 'WorkPending', 'the work is not written yet');
  if (!reachable) return answer('Progressing', 'ClusterUnreachable', 'the hub has not heard of it; its modules stay');
  const applied = conditionOf(work.status?.conditions, 'Applied');
  if (applied?.status === 'False') return answer('Degraded', 'WorkNotApplied', refusalOf(work) ?? applied.message);
  if (applied?.observedGeneration !== work.metadata.generation || !isCurrent(number)) {
    return answer('Progressing', 'WorkApplying', 'the cluster has not taken over the last change yet');
  }
  const reason = feedback.get('degraded.reason')?.string;
  if (reason) return answer('Degraded', reasonOf(reason), feedback.get('degraded.message')?.string ?? reason);
  if (nodesAvailable < nodesDesired) {
    return answer('Progressing', 'NodesLoading', `${nodesAvailable} of ${nodesDesired} nodes have the module`);
  }
  return answer('Available', 'Loaded', `${nodesAvailable} of ${nodesDesired} nodes have the module`);
}

/** Upstream spokes feed back no generations: their numbers are taken as they are. */
function isCurrent(number: (name: string) => number): boolean {
  const generation = number('generation');
  return generation === 0 || number('observedGeneration') === 0 || number('observedGeneration') === generation;
}

/**
 * What a cluster feeds back is its own word, and it must not be able to say something for which the API server refuses the
 * whole status: that would hide all other clusters.
 */
function countOf(fedBack = 0): number {
  return Number.isSafeInteger(fedBack) ? Math.min(Math.max(fedBack, 0), MAX_COUNT) : 0;
}

/** metav1.Condition's form of a reason. */
function reasonOf(fedBack: string): string {
  return /^[A-Za-z]\w{0,127}$/.test(fedBack) ? fedBack : 'SpokeProblem';
}

function valuesOf(work: ManifestWork | undefined): FeedbackValue[] {
  return work?.status?.resourceStatus?.manifests?.[0]?.statusFeedback?.values ?? [];
}

function refusalOf(work: ManifestWork): string | undefined {
  const [manifest] = work.status?.resourceStatus?.manifests ?? [];
  return conditionOf(manifest?.conditions, 'Applied')?.message;
}

export type StatusPlan = { status: Omit<ManagedClusterModuleStatus, 'conditions'>; conditions: ConditionUpdate[] };

/** Sums the clusters up. `works` are all that exist, those of clusters on their way out included (upstream's numbers). */
export function planStatus(module: ManagedClusterModule, clusters: ClusterView[], works: ManifestWork[]): StatusPlan {
  const states = clusters.map((view) => ({ name: view.name, ...clusterState(view) }));
  const count = (state: ClusterState['state']) => states.filter((cluster) => cluster.state === state).length;
  const sum = (field: 'nodesDesired' | 'nodesAvailable') =>
    states.reduce((total, cluster) => total + cluster[field], 0);
  const worst = states
    .filter(({ state }) => state !== 'Available')
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
    .slice(0, WORST)
    .map(({ name, reason, message }) => ({ name, reason, message: message.slice(0, 2048) }));
  const generation = module.metadata.generation ?? 0;
  const status = {
    numberDesired: works.length,
    numberApplied: works.filter((work) => conditionOf(work.status?.conditions, 'Applied')?.status === 'True').length,
    numberDegraded: count('Degraded'),
    numberSelected: states.length,
    numberAvailable: count('Available'),
    nodesDesired: sum('nodesDesired'),
    nodesAvailable: sum('nodesAvailable'),
    observedGeneration: generation,
    worstClusters: worst,
  };
  const available = isLeaving(module) ? removingCondition(works) : availableCondition(module, states, worst);
  const conditions = [available, degradedCondition(states, worst)];
  return { status, conditions: conditions.map((condition) => ({ ...condition, observedGeneration: generation })) };
}

type Named = ClusterState & { name: string };
type Worst = { name: string; reason: string; message: string }[];

function rank({ state }: Named): number {
  return state === 'Degraded' ? 0 : 1;
}

function isLeaving({ metadata }: ManagedClusterModule): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function removingCondition(works: ManifestWork[]): ConditionUpdate {
  const names = works.map(({ metadata }) => metadata.namespace ?? '').sort();
  const more = names.length > WORST ? ` and ${names.length - WORST} more` : '';
  const message = `waits for ${names.slice(0, WORST).join(', ')}${more} to unload the module`;
  return { type: 'Available', status: 'False', reason: 'Removing', message };
}

function availableCondition({ spec }: ManagedClusterModule, states: Named[], [first]: Worst): ConditionUpdate {
  const type = 'Available';
  if (states.length === 0) {
    const message = spec.placementRefs?.length
      ? 'placementRefs are not evaluated yet, so no cluster is selected; select by labels or features instead'
      : 'the selectors match no accepted cluster; compare them with the labels of the ManagedClusters';
    return { type, status: 'False', reason: 'NoClusters', message };
  }
  if (first === undefined) {
    const message = `the module is on every wanted node of ${states.length} clusters`;
    return { type, status: 'True', reason: 'Loaded', message };
  }
  const left = states.filter(({ state }) => state !== 'Available').length;
  const message = `${left} of ${states.length} clusters are not there yet; first ${first.name}: ${first.message}`;
  return { type, status: 'False', reason: first.reason, message };
}

function degradedCondition(states: Named[], [first]: Worst): ConditionUpdate {
  const type = 'Degraded';
  const degraded = states.filter(({ state }) => state === 'Degraded').length;
  if (degraded === 0 || first === undefined) {
    return { type, status: 'False', reason: 'AsExpected', message: 'nothing waits for a person' };
  }
  const message = `${degraded} of ${states.length} clusters need a person; first ${first.name}: ${first.message}`;
  return { type, status: 'True', reason: first.reason, message };
}
