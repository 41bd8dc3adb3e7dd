import { type Static, Type } from 'typebox';
import { IntOrString, StringEnum, Text } from './schema.ts';

const numberOrPercent = (description: string, fallback?: number) =>
  Type.Optional(
    IntOrString({
      ...(fallback !== undefined && { default: fallback }),
      pattern: '^((100|[0-9]{1,2})%|[0-9]+)$',
      description,
    }),
  );

const steps = {
  minSuccessTime: Type.Optional(
    Type.String({ default: '0', maxLength: 32, description: 'How long a success must last, e.g. 90m; not for All.' }),
  ),
  progressDeadline: Type.Optional(
    Type.String({
      default: 'None',
      maxLength: 32,
      pattern: '^(([0-9])+[h|m|s])|None$', // OCM's own, bar included: what it takes is taken here
      description: 'After how long a cluster counts as failed, e.g. 15m; None: never.',
    }),
  ),
  maxFailures: numberOrPercent('Clusters that may fail before no new one begins; not for All.', 0),
};

const mandatoryDecisionGroups = Type.Optional(
  Type.Array(
    Type.Object({
      groupName: Type.Optional(Text('Name of the group; wins over the index.', 63)),
      groupIndex: Type.Optional(Type.Integer({ format: 'int32', description: 'Number of the group, from 0.' })),
    }),
    { maxItems: 1024, description: 'Decision groups that come first and may not fail at all.' },
  ),
);

const fields = {
  type: Type.Optional(
    StringEnum(['All', 'Progressive', 'ProgressivePerGroup'], {
      default: 'All',
      description: 'How clusters follow each other, and which of the parts below is read.',
    }),
  ),
  all: Type.Optional(Type.Object(steps, { description: 'For All: every cluster at once.' })),
  progressive: Type.Optional(
    Type.Object(
      { mandatoryDecisionGroups, ...steps, maxConcurrency: numberOrPercent('Clusters that change at once.') },
      { description: 'For Progressive: so many clusters at once.' },
    ),
  ),
  progressivePerGroup: Type.Optional(
    Type.Object({ mandatoryDecisionGroups, ...steps }, { description: 'For ProgressivePerGroup: group after group.' }),
  ),
};

/** OCM's RolloutStrategy (cluster.open-cluster-management.io/v1alpha1), with the default of the place where it stands. */
export const RolloutStrategy = (fallback: Static<typeof Rollout>) =>
  Type.Object(fields, { default: fallback, description: 'How a change reaches the clusters.' });

const Rollout = Type.Object(fields);
export type RolloutStrategy = Static<typeof Rollout>;
