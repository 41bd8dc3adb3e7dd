import type { ManifestWork } from '@kmm-hub/api-types';
import { backoffMs, conditionOf } from '@kmm-hub/kube';

/** What is remembered of one work between two passes. Times are epoch milliseconds. */
export type Schedule = {
  /** uid, generation and labels that were applied; a changed label asks for a pass, too (OCM). */
  applied: string;
  /** Passes in a row that need another try. */
  failures: number;
  /** Passes in a row that changed nothing. */
  quietPasses: number;
  applyAt: number;
};

/** First looks after a change come this soon, so that feedback is on the hub long before the next interval. */
const FIRST_LOOK_MS = 200;
/** What was edited or deleted on the spoke is put right after 4 to 6 minutes (OCM's constant). */
const DRIFT_MS = 4 * 60_000;
/** An executor that is not allowed something is asked about again after this long (OCM's constant). */
const EXECUTOR_MS = 60_000;
const retryBackoff = { firstMs: 250, maxMs: 60_000 };

/** Whether the manifests are applied in this pass, or only looked at. A Complete work is never applied again (OCM). */
export function applyIsDue(schedule: Schedule | undefined, work: ManifestWork, nowMs: number): boolean {
  if (conditionOf(work.status?.conditions, 'Complete')?.status === 'True') return false;
  if (schedule === undefined || schedule.applied !== appliedOf(work) || nowMs >= schedule.applyAt) return true;
  const wanted = work.spec.workload?.manifests?.length ?? 0;
  const told = work.status?.resourceStatus?.manifests?.length ?? 0;
  const applied = conditionOf(work.status?.conditions, 'Applied');
  return wanted > 0 && (told !== wanted || applied?.observedGeneration !== work.metadata.generation); // the status was lost
}

/** When a pass asks for another try. */
export type Retry = 'none' | 'soon' | 'inAMinute';

/** What came of one pass. */
export type PassOutcome = { applied: boolean; retry: Retry; changed: boolean };

export function nextSchedule(
  previous: Schedule | undefined,
  { work, outcome, nowMs }: { work: ManifestWork; outcome: PassOutcome; nowMs: number },
): Schedule {
  const applied = appliedOf(work);
  const past = previous?.applied === applied ? previous : undefined; // a new spec starts without the old one's failures
  const quietPasses = outcome.applied || outcome.changed ? 0 : (past?.quietPasses ?? 0) + 1;
  if (past !== undefined && !outcome.applied && past.applyAt > nowMs) return { ...past, quietPasses };
  const failures = outcome.retry === 'soon' ? (past?.failures ?? 0) + 1 : 0;
  return { applied, failures, quietPasses, applyAt: nowMs + nextPassMs(outcome.retry, failures) };
}

function nextPassMs(retry: Retry, failures: number): number {
  if (retry === 'soon') return backoffMs(failures, retryBackoff);
  return retry === 'inAMinute' ? EXECUTOR_MS : DRIFT_MS * (1 + Math.random() / 2);
}

/** Milliseconds until the work is looked at again: soon after a change, then ever later, up to the interval. */
export function nextLookMs(schedule: Schedule, { intervalMs, nowMs }: { intervalMs: number; nowMs: number }): number {
  const look = Math.min(intervalMs, FIRST_LOOK_MS * 2 ** Math.min(schedule.quietPasses, 20));
  return Math.max(0, Math.min(look, schedule.applyAt - nowMs));
}

function appliedOf({ metadata: { uid, generation, labels } }: ManifestWork): string {
  return JSON.stringify([uid, generation, Object.entries(labels ?? {}).sort()]);
}
