import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { MOST_MANIFESTS } from './manifest-work.ts';
import { Text } from './schema.ts';

export const AppliedResource = Type.Object({
  group: Type.Optional(Text('API group.')),
  resource: Text('Plural.'),
  name: Text('Name.'),
  namespace: Type.Optional(Text('Namespace.')),
  version: Text('API version.'),
  uid: Type.Optional(Text('uid of the object.', 64)),
});
export type AppliedResource = Static<typeof AppliedResource>;

/** work.open-cluster-management.io/v1, on the spoke: owns what one work applied. */
export const appliedManifestWork = defineCrd({
  group: 'work.open-cluster-management.io',
  version: 'v1',
  kind: 'AppliedManifestWork',
  plural: 'appliedmanifestworks',
  scope: 'Cluster',
  description: 'What one ManifestWork applied here.',
  columns: [
    { name: 'Work', type: 'string', jsonPath: '.spec.manifestWorkName' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          hubHash: Text('sha256 of the URL of the hub.', 64),
          manifestWorkName: Text('Name of the work.'),
          agentID: Type.Optional(Text('Agent that applied it.', 128)),
        },
        { description: 'Which work it is of.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          appliedResources: Type.Optional(
            Type.Array(AppliedResource, { maxItems: MOST_MANIFESTS, description: 'What it owns.' }),
          ),
          evictionStartTime: Type.Optional(
            Type.String({ format: 'date-time', description: 'When the work went missing.' }),
          ),
        },
        { description: 'Written by the work agent.' },
      ),
    ),
  }),
});
export type AppliedManifestWork = NonNullable<(typeof appliedManifestWork)['type']>;
