import { Type } from 'typebox';
import {
  ADD_ON_GROUP,
  ADD_ON_NAMESPACE,
  AddOnConfiguration,
  AddOnMeta,
  certificateRequest,
  configName,
  configResource,
  HashedConfig,
} from './add-on-config.ts';
import { defineCrd } from './crd.ts';
import { DNS_LABEL } from './patterns.ts';
import { Conditions, mapBy, StringEnum, Text } from './schema.ts';

const Status = Type.Object(
  {
    namespace: Type.Optional(Text('Namespace of the agent on the cluster.', 63)),
    conditions: Type.Optional(Conditions),
    registrations: Type.Optional(
      Type.Array(Type.Object(certificateRequest), { maxItems: 64, description: 'Certificates that the agent gets.' }),
    ),
    configReferences: Type.Optional(
      Type.Array(
        Type.Object({
          ...configResource,
          ...configName,
          desiredConfig: HashedConfig('What is wanted.'),
          lastAppliedConfig: HashedConfig('What the cluster has.'),
          lastObservedGeneration: Type.Optional(
            Type.Integer({ format: 'int64', description: 'Generation of the configuration that was read.' }),
          ),
        }),
        { maxItems: 256, description: 'Configurations in use.' },
      ),
    ),
    healthCheck: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(
            StringEnum(['Lease', 'Customized'], { default: 'Lease', description: 'By a lease, or by its works.' }),
          ),
        },
        { description: 'How its health is judged.' },
      ),
    ),
    relatedObjects: Type.Optional(
      Type.Array(
        Type.Object({
          group: Text('API group.'),
          resource: Text('Plural.'),
          name: Text('Name.'),
          namespace: Type.Optional(Text('Namespace.')),
        }),
        { maxItems: 1024, description: 'Objects that belong to it.' },
      ),
    ),
    addOnMeta: AddOnMeta,
    addOnConfiguration: AddOnConfiguration,
    supportedConfigs: Type.Optional(
      Type.Array(Type.Object(configResource), {
        maxItems: 256,
        ...mapBy('group', 'resource'),
        description: 'Kinds of configuration that a cluster may set.',
      }),
    ),
    kubeClientDriver: Type.Optional(StringEnum(['csr', 'token'], { description: 'How the agent gets its identity.' })),
  },
  { description: "Written by OCM and by the add-on's controller." },
);

/**
 * addon.open-cluster-management.io, in the namespace of a cluster; OCM owns this kind. Only v1alpha1, the stored one: v1beta1 has
 * other fields and needs OCM's conversion webhook.
 */
export const managedClusterAddOn = defineCrd({
  group: ADD_ON_GROUP,
  version: 'v1alpha1',
  kind: 'ManagedClusterAddOn',
  plural: 'managedclusteraddons',
  shortNames: ['mca', 'mcas'],
  scope: 'Namespaced',
  description: 'An add-on on one cluster, named after its ClusterManagementAddOn.',
  properties: Type.Object({
    spec: Type.Object(
      {
        installNamespace: Type.Optional(
          Type.String({
            default: ADD_ON_NAMESPACE,
            maxLength: 63,
            pattern: `^${DNS_LABEL}$`,
            description: 'Namespace of the agent on the cluster. Deprecated: see AddOnDeploymentConfig.',
          }),
        ),
        configs: Type.Optional(
          Type.Array(Type.Object({ ...configResource, ...configName }), {
            maxItems: 256,
            description: 'Configurations of this cluster; they win over all others.',
          }),
        ),
      },
      { description: 'How it is installed here.' },
    ),
    status: Type.Optional(Status),
  }),
  columns: [
    ...(['Available', 'Degraded', 'Progressing'] as const).map(
      (type) => ({ name: type, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].status` }) as const,
    ),
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ManagedClusterAddOn = NonNullable<(typeof managedClusterAddOn)['type']>;
