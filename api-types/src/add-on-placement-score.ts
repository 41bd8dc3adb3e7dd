import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Conditions, mapBy, Text } from './schema.ts';

/** cluster.open-cluster-management.io/v1alpha1, in the namespace of a cluster; a Placement reads it by the names of both. */
export const addOnPlacementScore = defineCrd({
  group: 'cluster.open-cluster-management.io',
  version: 'v1alpha1',
  kind: 'AddOnPlacementScore',
  plural: 'addonplacementscores',
  scope: 'Namespaced',
  description: 'Scores of one cluster, by which Placements prefer it or not.',
  properties: Type.Object({
    status: Type.Optional(
      Type.Object(
        {
          conditions: Type.Optional(Conditions),
          scores: Type.Optional(
            Type.Array(
              Type.Object({
                name: Text('Name of the score.'),
                value: Type.Integer({ format: 'int32', minimum: -100, maximum: 100, description: 'The score.' }),
              }),
              { maxItems: 1024, ...mapBy('name'), description: 'Scores, by name.' },
            ),
          ),
          validUntil: Type.Optional(
            Type.String({ format: 'date-time', description: 'When they no longer count; absent: never.' }),
          ),
        },
        { description: 'Written by an add-on.' },
      ),
    ),
  }),
  columns: [
    { name: 'Scores', type: 'string', jsonPath: '.status.scores[*].name' },
    { name: 'Valid Until', type: 'string', jsonPath: '.status.validUntil' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type AddOnPlacementScore = NonNullable<(typeof addOnPlacementScore)['type']>;
