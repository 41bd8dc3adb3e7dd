import { APPLIED_MANIFEST_WORK_FINALIZER, type AppliedManifestWork, appliedManifestWork } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { cleanUp } from '../../applied-resources/clean-up.ts';
import { guardedPatch } from '../../guarded-patch.ts';
import type { AppliedManifestWorkDeps } from './deps.ts';
import { nextCleanUpMs, planAppliedWork } from './plan.ts';

/** `key` is the name of one AppliedManifestWork. Those of other agents are left alone. */
export async function reconcileAppliedWork(
  deps: AppliedManifestWorkDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { spoke, log, now, evictionGraceMs: graceMs } = deps;
  const applied = deps.applied.get(key);
  if (applied === undefined || applied.spec?.agentID !== deps.identity.agentId) return undefined;
  const nowMs = now().getTime();
  const plan = planAppliedWork(applied, { managed: isManaged(deps, applied), graceMs, nowMs });
  switch (plan.action) {
    case 'none':
      return undefined;
    case 'wait':
      return { requeueAfterMs: Math.min(plan.forMs, 3_600_000) };
    case 'cleanUp':
      return finishDeletion(deps, key, signal);
    case 'evict': {
      log.info({ appliedWork: key }, 'work is gone from the hub; what it applied is deleted');
      const { uid } = applied.metadata;
      await spoke.delete(appliedManifestWork, { name: key, ...(uid && { uid }) }, signal);
      return undefined;
    }
    default: {
      const evictionStartTime = plan.action === 'startEviction' ? rfc3339(now()) : null;
      log.info({ appliedWork: key, evictionStartTime }, 'eviction started or stopped');
      return void (await writeStatus(deps, { applied, status: { evictionStartTime } }, signal));
    }
  }
}

/** `undefined` as long as the hub has not said. The work of another hub is on none that this agent knows. */
function isManaged({ works, clusterName, identity }: AppliedManifestWorkDeps, { spec }: AppliedManifestWork) {
  if (spec?.hubHash !== identity.hubHash) return false;
  return works.synced ? works.get(`${clusterName}/${spec?.manifestWorkName}`) !== undefined : undefined;
}

/** Deletes everything the work applied, and lets the AppliedManifestWork go only when all of it is gone. */
async function finishDeletion(
  deps: AppliedManifestWorkDeps,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { spoke, log, now } = deps;
  const live = await spoke.getIfPresent(appliedManifestWork, { name }, signal); // the cache may not have the last record yet
  if (!live?.metadata.finalizers?.includes(APPLIED_MANIFEST_WORK_FINALIZER)) return undefined;
  const { uid: ownerUid = '', finalizers } = live.metadata;
  const resources = live.status?.appliedResources ?? [];
  const pending = await cleanUp(spoke, { resources, ownerUid }, signal);
  if (pending.length > 0) {
    const status = { appliedResources: pending };
    if (pending.length < resources.length) await writeStatus(deps, { applied: live, status }, signal);
    return { requeueAfterMs: nextCleanUpMs(live, now().getTime()) };
  }
  const kept = finalizers.filter((finalizer) => finalizer !== APPLIED_MANIFEST_WORK_FINALIZER);
  const patch = guardedPatch(live, { metadata: { finalizers: kept } });
  await spoke.patch(appliedManifestWork, { ref: { name }, patch }, signal);
  log.info({ appliedWork: name, objects: resources.length }, 'applied objects removed');
  return undefined;
}

async function writeStatus(
  { spoke }: AppliedManifestWorkDeps,
  { applied, status }: { applied: AppliedManifestWork; status: Record<string, unknown> },
  signal: AbortSignal,
): Promise<void> {
  const patch = guardedPatch(applied, { status });
  await spoke.patch(appliedManifestWork, { ref: applied.metadata, patch, subresource: 'status' }, signal);
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
