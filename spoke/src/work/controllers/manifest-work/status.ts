import { isDeepStrictEqual } from 'node:util';
import type { Condition, HubError, ManifestStatus, ManifestWork } from '@kmm-hub/api-types';
import { type ConditionUpdate, conditionOf, setConditions } from '@kmm-hub/kube';
import { AGGREGATED_REASON, RULE_REASON_PREFIX } from '../../condition-rules/evaluate-rule.ts';
import { type Feedback, feedbackValues } from '../../feedback/feedback-values.ts';
import type { ResourceMeta } from '../../manifests/manifest.ts';
import type { EffectiveConfig } from '../../manifests/manifest-config.ts';
import { feedbackSynced, manifestApplied, manifestAvailable, OWN_TYPES, workConditions } from './conditions.ts';
import type { Sighting } from './sighting.ts';

/** What one pass knows of one manifest. `applied` is missing when the pass only looked. */
export type Observation = {
  meta: ResourceMeta;
  applied?: { failure?: HubError };
  sighting: Sighting;
  config?: Pick<EffectiveConfig, 'feedbackRules' | 'conditionRules'>;
  /** What the condition rules say of the object that is seen. */
  judged?: readonly ConditionUpdate[];
};

export type WorkStatus = NonNullable<ManifestWork['status']>;

/** The status of a work after a pass, equal to the old one when nothing is new. Conditions of others stay. */
export function workStatus(work: ManifestWork, observations: readonly Observation[], now: Date): WorkStatus {
  const generation = work.metadata.generation ?? 0;
  const old = work.status?.resourceStatus?.manifests ?? [];
  const manifests = observations.map((observation) =>
    manifestStatus(manifestStatusOf(old, observation.meta), observation, { generation, now }),
  );
  const conditions = work.status?.conditions;
  const wasApplied = conditionOf(conditions, 'Applied') !== undefined;
  const applied = observations.some((observation) => observation.applied !== undefined);
  const updates = workConditions(manifests, { applied, wasApplied });
  const ruled = new Set(updates.map(({ type }) => type));
  const kept = conditions?.filter(({ type, reason }) => reason !== AGGREGATED_REASON || ruled.has(type));
  const observed = updates.map((update) => ({ ...update, observedGeneration: generation }));
  return { ...work.status, conditions: setConditions(kept, observed, now), resourceStatus: { manifests } };
}

/** Applied and StatusFeedbackSynced are new, with the time they have, for each generation and each change of values (OCM). */
function manifestStatus(
  old: ManifestStatus | undefined,
  { meta, applied, sighting, config, judged = [] }: Observation,
  { generation, now }: { generation: number; now: Date },
): ManifestStatus {
  const { feedbackRules = [], conditionRules = [] } = config ?? {};
  const feedback = sighting.seen === 'present' ? feedbackValues(sighting.live, feedbackRules) : undefined;
  const current = new Set(conditionRules.map(({ condition }) => condition).filter((type) => !OWN_TYPES.has(type)));
  const updates = [
    ...judged.filter(({ type }) => current.has(type)),
    ...(applied ? [manifestApplied(applied.failure)] : []),
    manifestAvailable(sighting),
    ...(feedback ? [feedbackSynced(feedbackRules, feedback)] : []),
  ];
  const fed = feedbackOf(old, feedback);
  const isOld = ({ type, reason, observedGeneration }: Condition) =>
    (reason.startsWith(RULE_REASON_PREFIX) && !current.has(type)) ||
    (type === 'Applied' && applied !== undefined && observedGeneration !== generation) ||
    (type === 'StatusFeedbackSynced' && !isDeepStrictEqual(fed.statusFeedback, old?.statusFeedback));
  const kept = (old?.conditions ?? []).filter((condition) => !isOld(condition));
  const observed = updates.map((update) => ({ ...update, observedGeneration: generation }));
  return { resourceMeta: meta, conditions: setConditions(kept, observed, now), ...fed };
}

/** An object that is not seen keeps the values it had: the hub shall not take a gap for a change. */
function feedbackOf(
  old: ManifestStatus | undefined,
  feedback: Feedback | undefined,
): Pick<ManifestStatus, 'statusFeedback'> {
  if (feedback === undefined) return old?.statusFeedback ? { statusFeedback: old.statusFeedback } : {};
  return feedback.values.length > 0 ? { statusFeedback: { values: feedback.values } } : {};
}

/** The entry of the same manifest, also when others moved before it, as long as there is no doubt which it is. */
export function manifestStatusOf(old: readonly ManifestStatus[], meta: ResourceMeta): ManifestStatus | undefined {
  const exact = old.find(({ resourceMeta }) => isDeepStrictEqual(resourceMeta, meta));
  const alike = old.filter(({ resourceMeta }) => isDeepStrictEqual({ ...resourceMeta, ordinal: meta.ordinal }, meta));
  return exact ?? (alike.length === 1 ? alike[0] : undefined);
}
