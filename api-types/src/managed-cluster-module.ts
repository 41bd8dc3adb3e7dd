import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { ModuleSpec } from './module.ts';
import { DNS_LABEL } from './patterns.ts';
import { Conditions, Count, IntOrString, LabelSelector, mapBy, rules, StringEnum, StringMap } from './schema.ts';

/** ManagedClusterModule.spec: upstream's three fields, and ours, none of which travels to a spoke. */
export const ManagedClusterModuleSpec = Type.Object(
  {
    moduleSpec: Type.Optional(ModuleSpec),
    spokeNamespace: Type.String({
      minLength: 1,
      maxLength: 63,
      description: 'Namespace of the Module on each spoke. It must exist there.',
      ...rules({
        rule: `self.matches('^${DNS_LABEL}$')`,
        message:
          'spokeNamespace must be the name of a namespace: lower-case letters, digits and - between them; correct it',
      }),
    }),
    selector: Type.Optional(StringMap({ description: 'Labels of the ManagedClusters; {} selects all.' })),
    clusterSelector: Type.Optional(LabelSelector),
    placementRefs: Type.Optional(
      Type.Array(
        Type.Object({
          namespace: Type.String({ maxLength: 63, description: 'Namespace of the Placement.' }),
          name: Type.String({ maxLength: 253, description: 'Name of the Placement.' }),
        }),
        {
          maxItems: 16,
          ...mapBy('namespace', 'name'),
          description:
            'OCM Placements whose decisions select clusters. Not evaluated yet: what is delivered stays, nothing new is.',
        },
      ),
    ),
    featureSelector: Type.Optional(LabelSelector),
    imageReference: Type.Optional(
      StringEnum(['Digest', 'Tag'], { default: 'Digest', description: 'What the Module on the spoke names.' }),
    ),
    rebuildPolicy: Type.Optional(
      StringEnum(['IfMissing', 'OnInputChange'], {
        default: 'IfMissing',
        description: 'Whether an image of ours is built anew when its inputs change.',
      }),
    ),
    removalGraceSeconds: Type.Optional(
      Type.Integer({
        default: 600,
        minimum: 0,
        maximum: 604800,
        description: 'How long a deleted ManagedClusterModule waits for its spokes to unload.',
      }),
    ),
    nodeRollout: Type.Optional(
      Type.Object(
        {
          maxUnavailable: Type.Optional(
            IntOrString({
              description: 'Nodes of a cluster that may reload at once: a number from 1, or a percentage such as 10%.',
              ...rules({
                rule: "type(self) == int ? self >= 1 : self.matches('^(100|[1-9][0-9]?)%$')",
                message: 'maxUnavailable must be a number from 1 or a percentage from 1% to 100%; correct it',
              }),
            }),
          ),
          drain: Type.Optional(Type.Boolean({ description: 'Whether nodes are drained first.' })),
        },
        { description: 'How nodes of one cluster follow each other. Not obeyed yet: nodes load at once.' },
      ),
    ),
  },
  {
    description: 'Which clusters get which module.',
    ...rules(
      {
        rule: 'has(self.selector) || has(self.clusterSelector) || has(self.placementRefs) || has(self.featureSelector)',
        message:
          'no clusters are selected; set selector ({} selects all), clusterSelector, placementRefs or featureSelector',
      },
      {
        // Upstream takes such an object and then fails on each of its passes (W13).
        rule: 'has(self.moduleSpec)',
        message: 'moduleSpec is missing; say there what the spokes are to load',
      },
    ),
  },
);
export type ManagedClusterModuleSpec = Static<typeof ManagedClusterModuleSpec>;

const count = (description: string) => Type.Optional(Count(description));

export const ManagedClusterModuleStatus = Type.Object(
  {
    numberDesired: count('ManifestWorks that exist for it (upstream meaning).'),
    numberApplied: count('Works whose condition Applied is True.'),
    numberDegraded: count('Works that are not right.'),
    numberSelected: count('Clusters that the selectors match.'),
    numberAvailable: count('Clusters whose wanted nodes all have the module.'),
    nodesDesired: count('Nodes that are to have the module, over all clusters.'),
    nodesAvailable: count('Nodes that have the module, over all clusters.'),
    observedGeneration: count('The generation that this status is of.'),
    conditions: Type.Optional(Conditions),
    worstClusters: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String({ maxLength: 253, description: 'Name of the ManagedCluster.' }),
          reason: Type.String({ maxLength: 128, description: 'What is not right, in one CamelCase word.' }),
          message: Type.String({ maxLength: 2048, description: 'The same for a person, with the remedy.' }),
        }),
        { maxItems: 10, ...mapBy('name'), description: 'The ten clusters that need a person first.' },
      ),
    ),
  },
  { description: 'How far the fleet is. Written by the hub.' },
);
export type ManagedClusterModuleStatus = Static<typeof ManagedClusterModuleStatus>;

export const managedClusterModule = defineCrd({
  group: 'hub.kmm.sigs.x-k8s.io',
  version: 'v1beta1',
  kind: 'ManagedClusterModule',
  plural: 'managedclustermodules',
  shortNames: ['mcm'],
  scope: 'Cluster',
  description: 'A kernel module for the nodes of many clusters.',
  properties: Type.Object({
    spec: Type.Optional(ManagedClusterModuleSpec),
    status: Type.Optional(ManagedClusterModuleStatus),
  }),
  rules: [
    {
      // Each spoke would refuse its Module, whose name and namespace make up one node label (W8).
      rule: '!has(self.spec) || size(self.metadata.name) + size(self.spec.spokeNamespace) <= 41',
      message: 'the name and spec.spokeNamespace have more than 41 characters together; shorten one of them',
      fieldPath: '.spec.spokeNamespace',
    },
  ],
  columns: [
    { name: 'Clusters', type: 'integer', jsonPath: '.status.numberSelected' },
    { name: 'Available', type: 'integer', jsonPath: '.status.numberAvailable' },
    { name: 'Degraded', type: 'integer', jsonPath: '.status.numberDegraded' },
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodesDesired' },
    { name: 'Loaded', type: 'integer', jsonPath: '.status.nodesAvailable' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Available")].reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ManagedClusterModule = Omit<NonNullable<(typeof managedClusterModule)['type']>, 'spec'> & {
  spec: ManagedClusterModuleSpec;
};
