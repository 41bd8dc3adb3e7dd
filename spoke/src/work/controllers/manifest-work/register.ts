import type { AppliedManifestWork, ManifestWork } from '@kmm-hub/api-types';
import type { Cache, Change, WorkQueue } from '@kmm-hub/kube';
import type { ManifestWorkDeps } from './deps.ts';

/** Brings the works whose spec, labels, finalizers or deletion changed: our own status writes are no news. */
export function watchWorks(works: Cache<ManifestWork>, queue: WorkQueue): void {
  works.onChange((change) => {
    if (asksForPass(change)) queue.add(change.key);
  });
}

/** An AppliedManifestWork that is gone, however that came, is the end of a deleted work and the beginning of any other. */
export function watchAppliedWorks(
  applied: Cache<AppliedManifestWork>,
  queue: WorkQueue,
  { identity, clusterName, schedules }: Pick<ManifestWorkDeps, 'identity' | 'schedules'> & { clusterName: string },
): void {
  applied.onChange(({ old, current }) => {
    if (current !== undefined || old?.spec?.hubHash !== identity.hubHash) return;
    const key = `${clusterName}/${old.spec.manifestWorkName}`;
    schedules.delete(key);
    queue.add(key);
  });
}

function asksForPass({ old, current }: Change<ManifestWork>): boolean {
  return old === undefined || current === undefined || facts(old) !== facts(current);
}

function facts({ metadata }: ManifestWork): string {
  const { uid, generation, labels, finalizers, deletionTimestamp } = metadata;
  return JSON.stringify([uid, generation, labels, finalizers, deletionTimestamp]);
}
