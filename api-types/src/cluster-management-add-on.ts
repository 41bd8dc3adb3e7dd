import { Type } from 'typebox';
import {
  ADD_ON_GROUP,
  AddOnConfiguration,
  AddOnMeta,
  configName,
  configResource,
  HashedConfig,
} from './add-on-config.ts';
import { defineCrd } from './crd.ts';
import { RolloutStrategy } from './rollout-strategy.ts';
import { Conditions, mapBy, StringEnum } from './schema.ts';

const placementName = {
  namespace: Type.String({ minLength: 1, maxLength: 63, description: 'Namespace of the Placement.' }),
  name: Type.String({ minLength: 1, maxLength: 253, description: 'Name of the Placement.' }),
};

const InstallStrategy = Type.Object(
  {
    type: Type.Optional(
      StringEnum(['Manual', 'Placements'], { default: 'Manual', description: 'Who makes the ManagedClusterAddOns.' }),
    ),
    placements: Type.Optional(
      Type.Array(
        Type.Object({
          ...placementName,
          configs: Type.Optional(
            Type.Array(Type.Object({ ...configResource, ...configName }), {
              maxItems: 256,
              description: 'Configurations on the clusters of this Placement.',
            }),
          ),
          rolloutStrategy: Type.Optional(RolloutStrategy({ type: 'All' })),
        }),
        {
          maxItems: 256,
          ...mapBy('namespace', 'name'),
          description: 'For Placements: where it is installed. The last entry that selects a cluster wins.',
        },
      ),
    ),
  },
  { default: { type: 'Manual' }, description: 'On which clusters it is installed.' },
);

const InstallProgression = Type.Object({
  ...placementName,
  configReferences: Type.Optional(
    Type.Array(
      Type.Object({
        ...configResource,
        desiredConfig: HashedConfig('What is wanted.'),
        lastAppliedConfig: HashedConfig('What every cluster has.'),
        lastKnownGoodConfig: HashedConfig('What last worked.'),
      }),
      { maxItems: 256, description: 'Configurations, and how far each is.' },
    ),
  ),
  conditions: Type.Optional(Conditions),
});

/**
 * addon.open-cluster-management.io; OCM owns this kind. Only v1alpha1, the stored one: v1beta1 has other fields and needs OCM's
 * conversion webhook.
 */
export const clusterManagementAddOn = defineCrd({
  group: ADD_ON_GROUP,
  version: 'v1alpha1',
  kind: 'ClusterManagementAddOn',
  plural: 'clustermanagementaddons',
  shortNames: ['cma', 'cmas'],
  scope: 'Cluster',
  description: 'An add-on of the fleet; its ManagedClusterAddOns have the same name.',
  properties: Type.Object({
    spec: Type.Object(
      {
        addOnMeta: AddOnMeta,
        addOnConfiguration: AddOnConfiguration,
        supportedConfigs: Type.Optional(
          Type.Array(
            Type.Object({
              ...configResource,
              defaultConfig: Type.Optional(
                Type.Object(configName, { description: 'Configuration of clusters that name none.' }),
              ),
            }),
            {
              maxItems: 256,
              ...mapBy('group', 'resource'),
              description: 'Kinds of configuration that it takes.',
            },
          ),
        ),
        installStrategy: Type.Optional(InstallStrategy),
      },
      { description: 'What the add-on is.' },
    ),
    status: Type.Optional(
      Type.Object(
        {
          defaultconfigReferences: Type.Optional(
            Type.Array(Type.Object({ ...configResource, desiredConfig: HashedConfig('What is wanted.') }), {
              maxItems: 256,
              description: 'Default configurations.',
            }),
          ),
          installProgressions: Type.Optional(
            Type.Array(InstallProgression, { maxItems: 256, description: 'How far each Placement is.' }),
          ),
        },
        { description: 'Written by OCM.' },
      ),
    ),
  }),
  columns: [
    { name: 'DISPLAY NAME', type: 'string', jsonPath: '.spec.addOnMeta.displayName' },
    { name: 'CRD NAME', type: 'string', jsonPath: '.spec.addOnConfiguration.crdName' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ClusterManagementAddOn = NonNullable<(typeof clusterManagementAddOn)['type']>;
