import { isDeepStrictEqual } from 'node:util';
import {
  APPLIED_MANIFEST_WORK_FINALIZER,
  type AppliedManifestWork,
  type AppliedResource,
  appliedManifestWork,
  type ManifestWork,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { cleanUp } from '../../applied-resources/clean-up.ts';
import { sortedResources, untracked } from '../../applied-resources/plan.ts';
import { guardedPatch } from '../../guarded-patch.ts';
import { type AgentIdentity, appliedWorkName } from '../../hub-identity.ts';
import type { Sighting, Target } from './sighting.ts';

/**
 * The work's AppliedManifestWork on the spoke, made when missing; `undefined` while an older one is being deleted: what it
 * owns goes first.
 */
export async function ensureAppliedWork(
  spoke: KubeClient,
  { work, identity: { hubHash, agentId } }: { work: ManifestWork; identity: AgentIdentity },
  signal: AbortSignal,
): Promise<AppliedManifestWork | undefined> {
  const name = appliedWorkName(hubHash, work.metadata.name);
  const spec = { hubHash, manifestWorkName: work.metadata.name, agentID: agentId };
  const live = await spoke.getIfPresent(appliedManifestWork, { name }, signal);
  if (live === undefined) {
    const { labels } = work.metadata;
    const metadata = { name, finalizers: [APPLIED_MANIFEST_WORK_FINALIZER], ...(labels && { labels }) };
    return spoke.create(appliedManifestWork, { metadata, spec }, signal);
  }
  if (live.metadata.deletionTimestamp !== undefined) return undefined;
  const finalizers = live.metadata.finalizers ?? [];
  const held = finalizers.includes(APPLIED_MANIFEST_WORK_FINALIZER);
  if (held && isDeepStrictEqual(live.spec, spec)) return live;
  const metadata = held ? {} : { finalizers: [...finalizers, APPLIED_MANIFEST_WORK_FINALIZER] };
  return spoke.patch(appliedManifestWork, { ref: { name }, patch: guardedPatch(live, { metadata, spec }) }, signal);
}

/**
 * Deletes what the work does not name any more and records what it has. True while something is still going. Nothing is
 * deleted as long as one manifest cannot be told: it may be the very object under another name.
 */
export async function trackApplied(
  spoke: KubeClient,
  { applied, wanted }: { applied: AppliedManifestWork; wanted: readonly AppliedResource[] | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  if (wanted === undefined) return false;
  const { name, uid: ownerUid = '' } = applied.metadata;
  const recorded = applied.status?.appliedResources ?? [];
  const pending = await cleanUp(spoke, { resources: untracked(recorded, wanted), ownerUid }, signal);
  const appliedResources = sortedResources([...wanted, ...pending]);
  if (!isDeepStrictEqual(appliedResources, recorded)) {
    const patch = guardedPatch(applied, { status: { appliedResources } });
    await spoke.patch(appliedManifestWork, { ref: { name }, patch, subresource: 'status' }, signal);
  }
  return pending.length > 0;
}

/** Every object that is there, as it is recorded; `undefined` when one of them could not be looked at. */
export function resourcesOf(seen: readonly { target: Target; sighting: Sighting }[]): AppliedResource[] | undefined {
  const resources: AppliedResource[] = [];
  for (const { target, sighting } of seen) {
    if (target.failure !== undefined || sighting.seen === 'failed') return undefined;
    if (sighting.seen !== 'present') continue;
    const { group, version, plural: resource } = target.resource;
    const { name, namespace, uid } = sighting.live.metadata;
    resources.push({ group, version, resource, name, ...(namespace && { namespace }), ...(uid && { uid }) });
  }
  return resources;
}
