import { type Condition, explain, type HubError, type ManifestStatus } from '@kmm-hub/api-types';
import { type ConditionUpdate, conditionOf } from '@kmm-hub/kube';
import { aggregatedConditions } from '../../condition-rules/evaluate-rule.ts';
import type { Feedback } from '../../feedback/feedback-values.ts';
import { IgnoreFieldsError } from '../../manifests/errors.ts';
import type { EffectiveConfig } from '../../manifests/manifest-config.ts';
import type { Sighting } from './sighting.ts';

// Types, reasons and messages are OCM's; its users and its hub read them.

export function manifestApplied(failure: HubError | undefined): ConditionUpdate {
  if (failure === undefined)
    return condition('Applied', 'True', ['AppliedManifestComplete', 'Apply manifest complete']);
  if (failure instanceof IgnoreFieldsError) {
    const message = `Failed to process ignoreFields: ${explain(failure)}`;
    return condition('Applied', 'False', ['AppliedManifestSSAIgnoreFieldError', message]);
  }
  const message = `Failed to apply manifest: ${explain(failure)}`;
  return condition('Applied', 'False', ['AppliedManifestFailed', message]);
}

/** Available means that the object is there, and nothing about its health. */
export function manifestAvailable(sighting: Sighting): ConditionUpdate {
  switch (sighting.seen) {
    case 'present':
      return condition('Available', 'True', ['ResourceAvailable', 'Resource is available']);
    case 'missing':
      return condition('Available', 'False', ['ResourceNotAvailable', 'Resource is not available']);
    case 'unresolved':
      return condition('Available', 'Unknown', ['IncompleteResourceMeta', 'Resource meta is incomplete']);
    case 'failed': {
      const message = `Failed to fetch resource: ${explain(sighting.failure)}`;
      return condition('Available', 'Unknown', ['FetchingResourceFailed', message]);
    }
  }
}

export function feedbackSynced(rules: EffectiveConfig['feedbackRules'], { problems }: Feedback): ConditionUpdate {
  if (rules.length === 0) return condition('StatusFeedbackSynced', 'True', ['NoStatusFeedbackSynced', '']);
  if (problems.length === 0) return condition('StatusFeedbackSynced', 'True', ['StatusFeedbackSynced', '']);
  const message = `Sync status feedback failed: ${problems.join(' ')}`;
  return condition('StatusFeedbackSynced', 'False', ['StatusFeedbackSyncFailed', message]);
}

/**
 * The work's own conditions as the sum of its manifests'; none for a work without manifests. Applied is told by a pass that
 * applied, Available once there is an Applied.
 */
export function workConditions(
  manifests: readonly ManifestStatus[],
  { applied, wasApplied }: { applied: boolean; wasApplied: boolean },
): ConditionUpdate[] {
  const all = manifests.map(({ conditions }) => conditions);
  if (manifests.length === 0) return [];
  const ofRules = aggregatedConditions(all).filter(({ type }) => !OWN_TYPES.has(type));
  return [...(applied ? [workApplied(all)] : []), ...(applied || wasApplied ? [workAvailable(all)] : []), ...ofRules];
}

/** A rule for one of these would speak over the agent itself. */
export const OWN_TYPES: ReadonlySet<string> = new Set(['Applied', 'Available', 'StatusFeedbackSynced', 'Deleting']);

type Conditions = readonly Condition[] | undefined;

function workApplied(manifests: readonly Conditions[]): ConditionUpdate {
  const failed = manifests.some((conditions) => conditionOf(conditions, 'Applied')?.status === 'False');
  return failed
    ? condition('Applied', 'False', ['AppliedManifestWorkFailed', 'Failed to apply manifest work'])
    : condition('Applied', 'True', ['AppliedManifestWorkComplete', 'Apply manifest work complete']);
}

function workAvailable(manifests: readonly Conditions[]): ConditionUpdate {
  const count = (status: Condition['status']) =>
    manifests.filter((conditions) => conditionOf(conditions, 'Available')?.status === status).length;
  const [missing, unknown, all] = [count('False'), count('Unknown'), manifests.length];
  if (missing > 0) {
    return condition('Available', 'False', [
      'ResourcesNotAvailable',
      `${missing} of ${all} resources are not available`,
    ]);
  }
  if (unknown > 0) {
    return condition('Available', 'Unknown', [
      'ResourcesStatusUnknown',
      `${unknown} of ${all} resources have unknown status`,
    ]);
  }
  return condition('Available', 'True', ['ResourcesAvailable', 'All resources are available']);
}

function condition(
  type: string,
  status: Condition['status'],
  [reason, message]: [reason: string, message: string],
): ConditionUpdate {
  return { type, status, reason, message };
}
