import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Conditions, LabelSelector, mapBy, rules, StringEnum, Text } from './schema.ts';

const CLUSTER_GROUP = 'cluster.open-cluster-management.io';
const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

/** cluster.open-cluster-management.io/v1beta2; OCM owns this kind, its CRD is for hubs without OCM. */
export const managedClusterSet = defineCrd({
  group: CLUSTER_GROUP,
  version: 'v1beta2',
  kind: 'ManagedClusterSet',
  plural: 'managedclustersets',
  shortNames: ['mclset', 'mclsets'],
  scope: 'Cluster',
  description: 'A set of clusters that may be bound to namespaces.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          clusterSelector: Type.Optional(
            Type.Object(
              {
                selectorType: Type.Optional(
                  StringEnum(['ExclusiveClusterSetLabel', 'LabelSelector'], {
                    default: 'ExclusiveClusterSetLabel',
                    description: 'Label cluster.open-cluster-management.io/clusterset, or labelSelector.',
                  }),
                ),
                labelSelector: Type.Optional(LabelSelector),
              },
              { description: 'Which clusters belong to it.' },
            ),
          ),
          managedNamespaces: Type.Optional(
            Type.Array(Type.Object({ name: Text('Namespace.', 63) }), {
              maxItems: 1024,
              ...mapBy('name'),
              description: 'Namespaces on each cluster of the set.',
            }),
          ),
        },
        { description: 'Which clusters are wanted.' },
      ),
    ),
    status: Type.Optional(
      Type.Object({ conditions: Type.Optional(Conditions) }, { description: 'Whether the set is empty.' }),
    ),
  }),
  columns: [
    { name: 'Empty', type: 'string', jsonPath: '.status.conditions[?(@.type=="ClusterSetEmpty")].status' },
    age,
  ],
});
export type ManagedClusterSet = NonNullable<(typeof managedClusterSet)['type']>;

/** cluster.open-cluster-management.io/v1beta2; OCM checks its rules in a webhook. */
export const managedClusterSetBinding = defineCrd({
  group: CLUSTER_GROUP,
  version: 'v1beta2',
  kind: 'ManagedClusterSetBinding',
  plural: 'managedclustersetbindings',
  shortNames: ['mclsetbinding', 'mclsetbindings'],
  scope: 'Namespaced',
  description: "Lets the Placements of this namespace select from a set; its name is the set's name.",
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          clusterSet: Type.String({
            minLength: 1,
            maxLength: 253,
            description: 'Name of the ManagedClusterSet.',
            ...rules({
              rule: 'self == oldSelf',
              message: 'clusterSet cannot be changed; make another binding and delete this one',
            }),
          }),
        },
        { description: 'Which set is bound.' },
      ),
    ),
    status: Type.Optional(
      Type.Object({ conditions: Type.Optional(Conditions) }, { description: 'Whether the set exists.' }),
    ),
  }),
  rules: [
    {
      rule: '!has(self.spec) || self.metadata.name == self.spec.clusterSet',
      message: 'metadata.name must be spec.clusterSet; rename the binding',
      fieldPath: '.spec.clusterSet',
    },
  ],
  columns: [{ name: 'Bound', type: 'string', jsonPath: '.status.conditions[?(@.type=="Bound")].status' }, age],
});
export type ManagedClusterSetBinding = NonNullable<(typeof managedClusterSetBinding)['type']>;
