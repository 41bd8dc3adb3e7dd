import { appliedManifestWork, MANIFEST_WORK_FINALIZER, type ManifestWork, manifestWork } from '@kmm-hub/api-types';
import { conditionOf, setConditions } from '@kmm-hub/kube';
import { guardedPatch } from '../../guarded-patch.ts';
import { appliedWorkName } from '../../hub-identity.ts';
import type { ManifestWorkDeps } from './deps.ts';

const deleting = {
  type: 'Deleting',
  status: 'True' as const,
  reason: 'WorkDeleting',
  message: 'ManifestWork is being deleted',
};

/**
 * Lets a deleted work go, and it goes last: first its objects, then its AppliedManifestWork. Each call does the next step;
 * the AppliedManifestWork's end is the event for the last one. `waiting` while objects are going and the work says so.
 */
export async function finalizeWork(
  deps: ManifestWorkDeps,
  work: ManifestWork,
  signal: AbortSignal,
): Promise<'gone' | 'told' | 'waiting'> {
  const { hub, spoke, log } = deps;
  const name = appliedWorkName(deps.identity.hubHash, work.metadata.name);
  const applied = await spoke.getIfPresent(appliedManifestWork, { name }, signal);
  if (applied === undefined) {
    const finalizers = work.metadata.finalizers?.filter((finalizer) => finalizer !== MANIFEST_WORK_FINALIZER);
    const patch = guardedPatch(work, { metadata: { finalizers: finalizers ?? [] } });
    await hub.patch(manifestWork, { ref: work.metadata, patch }, signal);
    log.info({ work: work.metadata.name }, 'work removed');
    return 'gone';
  }
  if (applied.metadata.deletionTimestamp === undefined) {
    const { uid } = applied.metadata;
    await spoke.delete(appliedManifestWork, { name, ...(uid && { uid }) }, signal);
  }
  if (conditionOf(work.status?.conditions, deleting.type)?.status === 'True') return 'waiting';
  const { generation: observedGeneration = 0 } = work.metadata;
  const conditions = setConditions(work.status?.conditions, [{ ...deleting, observedGeneration }], deps.now());
  const patch = guardedPatch(work, { status: { conditions } });
  await hub.patch(manifestWork, { ref: work.metadata, patch, subresource: 'status' }, signal);
  return 'told';
}
