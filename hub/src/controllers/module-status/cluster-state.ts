import type { FeedbackValue, ManifestWork } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import type { Waiting } from '../cluster-work/plan.ts';
import { share, verb } from './words.ts';

/** One selected cluster as the hub sees it. */
export type ClusterView = {
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
  const loaded = `${share(nodesAvailable, nodesDesired, 'node')} ${verb(nodesAvailable, 'has', 'have')} the module`;
  if (nodesAvailable < nodesDesired) return answer('Progressing', 'NodesLoading', loaded);
  return answer('Available', 'Loaded', loaded);
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
