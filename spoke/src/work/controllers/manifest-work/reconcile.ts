import { isDeepStrictEqual } from 'node:util';
import { MANIFEST_WORK_FINALIZER, type ManifestWork, manifestWork } from '@kmm-hub/api-types';
import { conditionOf, type ReconcileResult } from '@kmm-hub/kube';
import { judgeRules } from '../../condition-rules/evaluate-rule.ts';
import { guardedPatch } from '../../guarded-patch.ts';
import { ownerOf } from '../../manifests/ownership.ts';
import { ensureAppliedWork, resourcesOf, trackApplied } from './applied-work.ts';
import { type Applied, applyTargets, retryOf } from './apply-pass.ts';
import type { ManifestWorkDeps } from './deps.ts';
import { finalizeWork } from './finalize.ts';
import { applyIsDue, nextLookMs, nextSchedule, type PassOutcome } from './plan.ts';
import { look, resolveTargets, type Sighting, type Target, targetsOfStatus } from './sighting.ts';
import { type Observation, workStatus } from './status.ts';

/**
 * `key` is one work, `<cluster>/<name>`. A pass applies its manifests when that is due, looks at the objects, writes the
 * work's status when it changed, and cleans up what the work dropped. Idempotent; safe to end anywhere.
 */
export async function reconcileWork(
  deps: ManifestWorkDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const work = deps.works.get(key);
  if (work === undefined || work.metadata.deletionTimestamp !== undefined) {
    deps.schedules.delete(key);
    return work && removeWork(deps, work, signal);
  }
  if (!work.metadata.finalizers?.includes(MANIFEST_WORK_FINALIZER)) return hold(deps, work, signal);
  return pass(deps, { key, work }, signal);
}

/** Without our finalizer a work could vanish before what it applied, so that comes first; its own event brings the work back. */
async function hold({ hub }: ManifestWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<undefined> {
  const finalizers = [...(work.metadata.finalizers ?? []), MANIFEST_WORK_FINALIZER];
  await hub.patch(
    manifestWork,
    { ref: work.metadata, patch: guardedPatch(work, { metadata: { finalizers } }) },
    signal,
  );
}

/** A deleted work is looked at as long as its objects are there: whoever deleted it may want to know how they fare. */
async function removeWork(deps: ManifestWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<ReconcileResult> {
  if (!work.metadata.finalizers?.includes(MANIFEST_WORK_FINALIZER)) return undefined;
  const state = await finalizeWork(deps, work, signal);
  if (state === 'gone') return undefined;
  if (state === 'waiting') await lookAtWork(deps, work, signal);
  return { requeueAfterMs: deps.statusSyncIntervalMs };
}

async function pass(
  deps: ManifestWorkDeps,
  { key, work }: { key: string; work: ManifestWork },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { schedules, statusSyncIntervalMs: intervalMs } = deps;
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

async function applyWork(
  deps: ManifestWorkDeps,
  work: ManifestWork,
  signal: AbortSignal,
): Promise<PassOutcome | undefined> {
  const { spoke, discovery, identity, log } = deps;
  const applied = await ensureAppliedWork(spoke, { work, identity }, signal);
  if (applied === undefined) return undefined; // its end brings the work back
  const targets = await resolveTargets(discovery, work, signal);
  const results = await applyTargets(spoke, { work, targets, owner: ownerOf(applied) }, signal);
  const seen = await lookAtTargets(deps, { targets, results }, signal);
  const changed = await writeStatus(deps, { work, seen }, signal);
  const pending = await trackApplied(spoke, { applied, wanted: resourcesOf(seen) }, signal);
  const retry = pending ? 'soon' : retryOf(results.values());
  if (changed) log.info({ work: work.metadata.name, manifests: targets.length, retry }, 'work applied');
  return { applied: true, retry, changed };
}

async function lookAtWork(deps: ManifestWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<PassOutcome> {
  const nothing: PassOutcome = { applied: false, retry: 'none', changed: false };
  if (conditionOf(work.status?.conditions, 'Applied') === undefined) return nothing;
  const seen = await lookAtTargets(deps, { targets: targetsOfStatus(work), results: new Map() }, signal);
  return { ...nothing, changed: await writeStatus(deps, { work, seen }, signal) };
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
  const status = workStatus(work, await Promise.all(seen.map(observationOf)), now());
  if (isDeepStrictEqual(status, work.status)) return false;
  const patch = guardedPatch(work, { status });
  await hub.patch(manifestWork, { ref: work.metadata, patch, subresource: 'status' }, signal);
  return true;
}

async function observationOf({ target, sighting, result }: Seen): Promise<Observation> {
  const observation = { meta: target.meta, sighting, ...(result && { applied: result }) };
  if (target.failure !== undefined) return observation;
  const { config } = target;
  const judged = sighting.seen === 'present' ? await judgeRules(sighting.live, config.conditionRules) : [];
  return { ...observation, config, judged };
}
