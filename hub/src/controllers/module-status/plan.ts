import type { Condition, ManagedClusterModule, ManagedClusterModuleStatus } from '@kmm-hub/api-types';
import { type ConditionUpdate, conditionOf } from '@kmm-hub/kube';
import type { ClusterSums } from './cluster-sums.ts';
import { many, share, verb } from './words.ts';

export type StatusPlan = { status: Omit<ManagedClusterModuleStatus, 'conditions'>; conditions: ConditionUpdate[] };

const WORST = 10;
/** Of a message in worstClusters. */
const MESSAGE_CHARACTERS = 2048;

/** What a module's status says of its clusters. Works of clusters on their way out count too (upstream's numbers). */
export function planStatus(module: ManagedClusterModule, sums: ClusterSums): StatusPlan {
  const { totals } = sums;
  const worst = sums.worst(WORST);
  const generation = module.metadata.generation ?? 0;
  const status = {
    numberDesired: totals.works,
    numberApplied: totals.applied,
    numberDegraded: totals.degraded,
    numberSelected: totals.selected,
    numberAvailable: totals.available,
    nodesDesired: totals.nodesDesired,
    nodesAvailable: totals.nodesAvailable,
    observedGeneration: generation,
    worstClusters: worst.map(({ name, reason, message }) => ({
      name,
      reason,
      message: message.slice(0, MESSAGE_CHARACTERS),
    })),
  };
  const available = isLeaving(module) ? removingCondition(sums) : availableCondition(module, sums);
  const conditions = [available, degradedCondition(sums), coveredCondition(sums)];
  return { status, conditions: conditions.map((condition) => ({ ...condition, observedGeneration: generation })) };
}

export type StatusEvent = { type: 'Normal' | 'Warning'; reason: string; message: string };

/** What of the change is worth an Event: every new reason of Available, and of KernelsCovered unless it was never otherwise. */
export function planEvents(before: readonly Condition[] | undefined, now: readonly Condition[]): StatusEvent[] {
  const isNew = ({ type, reason }: Condition) => conditionOf(before, type)?.reason !== reason;
  const available = conditionOf(now, 'Available');
  const covered = conditionOf(now, 'KernelsCovered');
  const degraded = conditionOf(now, 'Degraded')?.status === 'True';
  const events: StatusEvent[] = [];
  if (available !== undefined && isNew(available)) {
    const { reason, message } = available;
    events.push({ type: degraded ? 'Warning' : 'Normal', reason, message });
  }
  const wasUncovered = conditionOf(before, 'KernelsCovered')?.status === 'False';
  if (covered !== undefined && isNew(covered) && (covered.status === 'False' || wasUncovered)) {
    const { status, reason, message } = covered;
    const told = events.some((event) => event.reason === reason); // one Event is enough for one reason
    if (!told) events.push({ type: status === 'False' ? 'Warning' : 'Normal', reason, message });
  }
  return events;
}

function isLeaving({ metadata }: ManagedClusterModule): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function removingCondition(sums: ClusterSums): ConditionUpdate {
  const left = sums.totals.works - WORST;
  const more = left > 0 ? ` and ${left} more` : '';
  const message = `waits for ${sums.withWork(WORST).join(', ')}${more} to unload the module`;
  return { type: 'Available', status: 'False', reason: 'Removing', message };
}

function availableCondition({ spec }: ManagedClusterModule, sums: ClusterSums): ConditionUpdate {
  const type = 'Available';
  const { selected, available } = sums.totals;
  const [first] = sums.worst(1);
  if (selected === 0) {
    const message = spec.placementRefs?.length
      ? 'placementRefs are not evaluated yet, so no cluster is selected; select by labels or features instead'
      : 'the selectors match no accepted cluster; compare them with the labels of the ManagedClusters';
    return { type, status: 'False', reason: 'NoClusters', message };
  }
  if (first === undefined) {
    const message = `the module is on every wanted node of ${many(selected, 'cluster')}`;
    return { type, status: 'True', reason: 'Loaded', message };
  }
  const left = selected - available;
  const message = `${share(left, selected, 'cluster')} ${verb(left, 'is', 'are')} not there yet; ${firstOf(first)}`;
  return { type, status: 'False', reason: first.reason, message };
}

function degradedCondition(sums: ClusterSums): ConditionUpdate {
  const type = 'Degraded';
  const { selected, degraded } = sums.totals;
  const [first] = sums.worst(1);
  if (degraded === 0 || first === undefined) {
    return { type, status: 'False', reason: 'AsExpected', message: 'nothing waits for a person' };
  }
  const message = `${share(degraded, selected, 'cluster')} ${verb(degraded, 'needs', 'need')} a person; ${firstOf(first)}`;
  return { type, status: 'True', reason: first.reason, message };
}

/** Nodes whose kernel gets no image are no failure, as it may be meant; but nobody should have to find out by counting. */
function coveredCondition(sums: ClusterSums): ConditionUpdate {
  const type = 'KernelsCovered';
  const { selected, uncovered } = sums.totals;
  const first = sums.firstUncovered();
  if (first === undefined) {
    return { type, status: 'True', reason: 'EveryKernel', message: 'no kernel of a selected cluster is left out' };
  }
  const which = `${share(uncovered, selected, 'cluster')} ${verb(uncovered, 'has', 'have')} kernels that get no image`;
  return { type, status: 'False', reason: first.reason, message: `${which}; ${firstOf(first)}` };
}

function firstOf({ name, message }: { name: string; message: string }): string {
  return `first ${name}: ${message}`;
}
