import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Conditions, IntOrString, mapBy, Nullable, StringEnum } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });
const Quantities = (description: string) =>
  Type.Optional(
    Type.Unsafe<Record<string, string | number>>({ type: 'object', additionalProperties: IntOrString(), description }),
  );

/** cluster.open-cluster-management.io/v1; OCM owns this kind, its CRD is for hubs without OCM. */
export const managedCluster = defineCrd({
  group: 'cluster.open-cluster-management.io',
  version: 'v1',
  kind: 'ManagedCluster',
  plural: 'managedclusters',
  shortNames: ['mcl', 'mcls'],
  scope: 'Cluster',
  description: 'A cluster of the fleet; its namespace on the hub has the same name.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          managedClusterClientConfigs: Type.Optional(
            Type.Array(
              Type.Object({
                url: Name('API server of the cluster.', 2048),
                caBundle: Type.Optional(Type.String({ format: 'byte', description: 'Its CA.' })),
              }),
              { maxItems: 64, description: 'How the cluster is reached.' },
            ),
          ),
          hubAcceptsClient: Type.Optional(Type.Boolean({ default: false, description: 'The hub lets it join.' })),
          leaseDurationSeconds: Type.Optional(
            Type.Integer({ default: 60, minimum: 1, description: 'How often the lease is renewed.' }),
          ),
          taints: Type.Optional(
            Type.Array(
              Type.Object({
                key: Name('Taint key.', 316),
                value: Type.Optional(Name('Taint value.', 1024)),
                effect: StringEnum(['NoSelect', 'PreferNoSelect', 'NoSelectIfNew'], { description: 'What it does.' }),
                timeAdded: Type.Optional(
                  Nullable(Type.String({ format: 'date-time', description: 'When; set by OCM.' })),
                ),
              }),
              { maxItems: 1024, description: 'What keeps Placements away.' },
            ),
          ),
        },
        { description: 'What the hub wants of it.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          conditions: Type.Optional(Conditions),
          capacity: Quantities('All nodes together.'),
          allocatable: Quantities('All schedulable nodes together.'),
          version: Type.Optional(
            Type.Object(
              { kubernetes: Type.Optional(Name('Version of its API server.')) },
              { description: 'Versions of its parts.' },
            ),
          ),
          clusterClaims: Type.Optional(
            Type.Array(Type.Object({ name: Name('Claim.'), value: Name('Its value.', 1024) }), {
              maxItems: 1024, // OCM sends 20 of the users', unless it is told to send more
              ...mapBy('name'),
              description: 'What the cluster says of itself.',
            }),
          ),
          managedNamespaces: Type.Optional(
            Type.Array(
              Type.Object({
                name: Name('Namespace.', 63),
                clusterSet: Name('Set.'),
                conditions: Type.Optional(Conditions),
              }),
              { maxItems: 1024, ...mapBy('clusterSet', 'name'), description: 'Namespaces of the sets.' },
            ),
          ),
        },
        { description: "Written by the cluster's registration agent." },
      ),
    ),
  }),
  columns: [
    { name: 'Hub Accepted', type: 'boolean', jsonPath: '.spec.hubAcceptsClient' },
    { name: 'Managed Cluster URLs', type: 'string', jsonPath: '.spec.managedClusterClientConfigs[*].url' },
    { name: 'Joined', type: 'string', jsonPath: '.status.conditions[?(@.type=="ManagedClusterJoined")].status' },
    {
      name: 'Available',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="ManagedClusterConditionAvailable")].status',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ManagedCluster = NonNullable<(typeof managedCluster)['type']>;

/** cluster.open-cluster-management.io/v1alpha1, on the spoke. */
export const clusterClaim = defineCrd({
  group: 'cluster.open-cluster-management.io',
  version: 'v1alpha1',
  kind: 'ClusterClaim',
  plural: 'clusterclaims',
  scope: 'Cluster',
  description: 'One fact of this cluster, copied to its ManagedCluster on the hub.',
  columns: [
    { name: 'Value', type: 'string', jsonPath: '.spec.value' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        { value: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'The fact.' })) },
        { description: 'The value.' },
      ),
    ),
  }),
});
export type ClusterClaim = NonNullable<(typeof clusterClaim)['type']>;
