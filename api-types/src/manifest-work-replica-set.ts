import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { ManifestWorkSpec } from './manifest-work.ts';
import { RolloutStrategy } from './rollout-strategy.ts';
import { Conditions, Count, StringEnum, Text } from './schema.ts';

const count = (description: string) => Type.Optional(Count(description));

const Summary = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        total: count('Works that there are.'),
        applied: count('Works whose condition Applied is True.'),
        available: count('Works whose condition Available is True.'),
        progressing: count('Works whose condition Progressing is True.'),
        degraded: count('Works whose condition Degraded is True.'),
        desiredTotal: count('Never written by OCM.'),
        updated: count('Never written by OCM.'),
      },
      { description },
    ),
  );

const statusColumn = (name: string, condition: string, field: 'status' | 'reason') =>
  ({ name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${condition}")].${field}` }) as const;

/** work.open-cluster-management.io/v1alpha1; OCM owns this kind, whose controller is behind a gate that is off by default. */
export const manifestWorkReplicaSet = defineCrd({
  group: 'work.open-cluster-management.io',
  version: 'v1alpha1',
  kind: 'ManifestWorkReplicaSet',
  plural: 'manifestworkreplicasets',
  shortNames: ['mwrs'],
  scope: 'Namespaced',
  description: 'The same ManifestWork for every cluster that Placements of this namespace select.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          manifestWorkTemplate: Type.Optional(
            Type.Object(ManifestWorkSpec.properties, { description: 'Spec of each work.' }),
          ),
          placementRefs: Type.Array(
            Type.Object({
              name: Type.String({ minLength: 1, maxLength: 253, description: 'Name of the Placement.' }),
              rolloutStrategy: Type.Optional(RolloutStrategy({ type: 'All', all: { progressDeadline: 'None' } })),
            }),
            { minItems: 1, maxItems: 256, description: 'Placements of this namespace.' },
          ),
          cascadeDeletionPolicy: Type.Optional(
            StringEnum(['Background', 'Foreground'], {
              default: 'Background',
              description: 'Whether the set goes before its works, or after them.',
            }),
          ),
        },
        { description: 'What goes where.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          conditions: Type.Optional(Conditions),
          summary: Summary('All works.'),
          placementSummary: Type.Optional(
            Type.Array(
              Type.Object({
                name: Type.Optional(Text('Name of the Placement.')),
                availableDecisionGroups: Type.Optional(Text('Groups and clusters that have it, for a person.')),
                summary: Summary('Works of the Placement.'),
              }),
              { maxItems: 256, description: 'The same by Placement.' },
            ),
          ),
        },
        { description: 'Written by OCM.' },
      ),
    ),
  }),
  columns: [
    statusColumn('Placement', 'PlacementVerified', 'reason'),
    statusColumn('Found', 'PlacementVerified', 'status'),
    statusColumn('ManifestWorks', 'ManifestworkApplied', 'reason'),
    statusColumn('Applied', 'ManifestworkApplied', 'status'),
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ManifestWorkReplicaSet = NonNullable<(typeof manifestWorkReplicaSet)['type']>;
