import { WORK_GOOD, workTold } from '../objects.ts';
import type { Stage } from '../stage.ts';

/** Waits until a work tells that all of it is applied and available. @throws UnexpectedError */
export async function becomesGood(stage: Stage, work: string, limitMs = stage.limits.promptMs): Promise<void> {
  const read = async () => workTold(await stage.work(work), 'Applied', 'Available');
  const limit = Math.max(limitMs, stage.limits.statusMs);
  await stage.becomes(`conditions of work ${work}`, { read, expected: WORK_GOOD, limitMs: limit });
}

/** Waits until neither the work nor its AppliedManifestWork is there. @throws UnexpectedError */
export async function becomesGone(stage: Stage, work: string, limitMs = stage.limits.promptMs): Promise<void> {
  const read = async () =>
    [await stage.work(work), await stage.appliedWork(work)].map((object) => object !== undefined);
  await stage.becomes(`work ${work} and its AppliedManifestWork are there`, {
    read,
    expected: [false, false],
    limitMs,
  });
}

/** The record of what a work applied; a missing group is the core one. */
export async function recorded(stage: Stage, work: string) {
  const resources = (await stage.appliedWork(work))?.status?.appliedResources ?? [];
  return resources.map(({ group = '', ...rest }) => ({ group, ...rest }));
}

/** Of the ConfigMaps of the case. */
export async function recordedNames(stage: Stage, work: string): Promise<string[]> {
  return (await recorded(stage, work)).map(({ name }) => name).sort();
}
