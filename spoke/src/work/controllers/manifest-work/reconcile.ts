import { isDeepStrictEqual } from 'node:util';
import { MANIFEST_WORK_FINALIZER, type ManifestWork, manifestWork } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { guardedPatch } from '../../guarded-patch.ts';
import { ownerOf } from '../../manifests/ownership.ts';
import { ensureAppliedWork, resourcesOf, trackApplied } from './applied-work.ts';
import { type Applied, applyTargets, isWorthRetrying } from './apply-pass.ts';
import type { ManifestWorkDeps } from './deps.ts';
import { finalizeWork } from './finalize.ts';
import { applyIsDue, nextLookMs, nextSchedule, type PassOutcome } from './plan.ts';
import { look, resolveTargets, type Sighting, type Target } from './sighting.ts';
import { workStatus } from './status.ts';

/**
 * `key` is one work, `<cluster>/<name>`. A pass applies its manifests when that is due, looks at the objects, writes the
 * work's status when it changed, and cleans up what the work dropped. Idempotent; safe to end anywhere.
 */
export async function reconcileWork(
  deps: ManifestWorkDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { works, schedules, statusSyncIntervalMs: intervalMs } = deps;
  const work = works.get(key);
  if (work === undefined || work.metadata.deletionTimestamp !== undefined) schedules.delete(key);
  if (work === undefined || !(await isHeld(deps, work, signal))) return undefined;
  const nowMs = deps.now().getTime();
  const previous = schedules.get(key);
  const outcome = applyIsDue(previous, work, nowMs)
    ? await applyWork(deps, work, signal)
    : await lookAtWork(deps, work, signal);
  if (outcome === undefined) return undefined;
  const schedule = nextSchedule(previous, { work, outcome, nowMs });
  schedules.set(key, schedule);
  return { requeueAfterMs: nextLookMs(schedule, { intervalMs, nowMs }) };
}

/**
 * Whether the work may be applied now. Without our finalizer it could vanish before what it applied, so that comes first; its
 * own event then brings the work back.
 */
async function isHeld({ hub, ...deps }: ManifestWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<boolean> {
  const { deletionTimestamp, finalizers = [] } = work.metadata;
  const held = finalizers.includes(MANIFEST_WORK_FINALIZER);
  if (deletionTimestamp !== undefined) {
    if (held) await finalizeWork({ hub, ...deps }, work, signal);
    return false;
  }
  if (held) return true;
  const patch = guardedPatch(work, { metadata: { finalizers: [...finalizers, MANIFEST_WORK_FINALIZER] } });
  await hub.patch(manifestWork, { ref: work.metadata, patch }, signal);
  return false;
}

async function applyWork(
  deps: ManifestWorkDeps,
  work: ManifestWork,
  signal: AbortSignal,
): Promise<PassOutcome | undefined> {
  const { spoke, discovery, hubHash, log } = deps;
  const applied = await ensureAppliedWork(spoke, { work, hubHash }, signal);
  if (applied === undefined) return undefined; // its end brings the work back
  const targets = await resolveTargets(discovery, work, signal);
  const results = await applyTargets(spoke, { work, targets, owner: ownerOf(applied) }, signal);
  const seen = await lookAtTargets(deps, { targets, results }, signal);
  const changed = await writeStatus(deps, { work, seen }, signal);
  const pending = await trackApplied(spoke, { applied, wanted: resourcesOf(seen) }, signal);
  const retry = pending || seen.some(({ result = {} }) => isWorthRetrying(result));
  if (changed) log.info({ work: work.metadata.name, manifests: targets.length, retry }, 'work applied');
  return { applied: true, retry, changed };
}

async function lookAtWork(deps: ManifestWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<PassOutcome> {
  const targets = await resolveTargets(deps.discovery, work, signal);
  const seen = await lookAtTargets(deps, { targets, results: new Map() }, signal);
  return { applied: false, retry: false, changed: await writeStatus(deps, { work, seen }, signal) };
}

type Seen = { target: Target; sighting: Sighting; result?: Applied };

/** What was just applied has been seen; the rest is asked for. */
async function lookAtTargets(
  { spoke }: ManifestWorkDeps,
  { targets, results }: { targets: readonly Target[]; results: ReadonlyMap<number, Applied> },
  signal: AbortSignal,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const target of targets) {
    const result = results.get(target.ordinal);
    const live = result?.live;
    const sighting: Sighting = live ? { seen: 'present', live } : await look(spoke, target, signal);
    seen.push({ target, sighting, ...(result && { result }) });
  }
  return seen;
}

/** True when there was something new to write. */
async function writeStatus(
  { hub, now }: ManifestWorkDeps,
  { work, seen }: { work: ManifestWork; seen: readonly Seen[] },
  signal: AbortSignal,
): Promise<boolean> {
  const observations = seen.map(({ target, sighting, result }) => ({
    meta: target.meta,
    sighting,
    ...(result && { applied: result }),
    ...(target.failure === undefined && { config: target.config }),
  }));
  const status = workStatus(work, observations, now());
  if (isDeepStrictEqual(status, work.status)) return false;
  const patch = guardedPatch(work, { status });
  await hub.patch(manifestWork, { ref: work.metadata, patch, subresource: 'status' }, signal);
  return true;
}
