import { isDeepStrictEqual } from 'node:util';
import type { HubError, ManifestStatus, ManifestWork } from '@kmm-hub/api-types';
import { setConditions } from '@kmm-hub/kube';
import { type Feedback, feedbackValues } from '../../feedback/feedback-values.ts';
import type { ResourceMeta } from '../../manifests/manifest.ts';
import type { EffectiveConfig } from '../../manifests/manifest-config.ts';
import { feedbackSynced, manifestApplied, manifestAvailable, ruleConditions, workConditions } from './conditions.ts';
import type { Sighting } from './sighting.ts';

/** What one pass knows of one manifest. `applied` is missing when the pass only looked. */
export type Observation = {
  meta: ResourceMeta;
  applied?: { failure?: HubError };
  sighting: Sighting;
  config?: Pick<EffectiveConfig, 'feedbackRules' | 'conditionRules'>;
};

export type WorkStatus = NonNullable<ManifestWork['status']>;

/** The status of a work after a pass, equal to the old one when nothing is new. Conditions of others stay. */
export function workStatus(work: ManifestWork, observations: readonly Observation[], now: Date): WorkStatus {
  const generation = work.metadata.generation ?? 0;
  const old = work.status?.resourceStatus?.manifests ?? [];
  const manifests = observations.map((observation) =>
    manifestStatus(statusOf(old, observation.meta), observation, { generation, now }),
  );
  const updates = workConditions(manifests).map((update) => ({ ...update, observedGeneration: generation }));
  return {
    ...work.status,
    conditions: setConditions(work.status?.conditions, updates, now),
    resourceStatus: { manifests },
  };
}

function manifestStatus(
  old: ManifestStatus | undefined,
  { meta, applied, sighting, config }: Observation,
  { generation, now }: { generation: number; now: Date },
): ManifestStatus {
  const feedbackRules = config?.feedbackRules ?? [];
  const feedback = sighting.seen === 'present' ? feedbackValues(sighting.live, feedbackRules) : undefined;
  const updates = [
    ...ruleConditions(config?.conditionRules ?? []),
    ...(applied ? [manifestApplied(applied.failure)] : []),
    manifestAvailable(sighting),
    ...(feedback ? [feedbackSynced(feedbackRules, feedback)] : []),
  ];
  const current = new Set(config?.conditionRules.map((rule) => rule.condition));
  const kept = (old?.conditions ?? []).filter((c) => !c.reason.startsWith('ConditionRule') || current.has(c.type));
  const observed = updates.map((update) => ({ ...update, observedGeneration: generation }));
  return { resourceMeta: meta, conditions: setConditions(kept, observed, now), ...feedbackOf(old, feedback) };
}

/** An object that is not seen keeps the values it had: the hub shall not take a gap for a change. */
function feedbackOf(old: ManifestStatus | undefined, feedback: Feedback | undefined) {
  if (feedback === undefined) return old?.statusFeedback && { statusFeedback: old.statusFeedback };
  return feedback.values.length > 0 ? { statusFeedback: { values: feedback.values } } : {};
}

/** The entry of the same manifest, also when others moved before it, as long as there is no doubt which it is. */
function statusOf(old: readonly ManifestStatus[], meta: ResourceMeta): ManifestStatus | undefined {
  const exact = old.find(({ resourceMeta }) => isDeepStrictEqual(resourceMeta, meta));
  const alike = old.filter(({ resourceMeta }) => isDeepStrictEqual({ ...resourceMeta, ordinal: meta.ordinal }, meta));
  return exact ?? (alike.length === 1 ? alike[0] : undefined);
}
