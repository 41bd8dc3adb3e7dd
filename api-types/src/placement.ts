import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Conditions, Count, IntOrString, LabelSelector, mapBy, StringEnum, Text, Texts } from './schema.ts';

const CLUSTER_GROUP = 'cluster.open-cluster-management.io';
const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

const ClaimSelector = Type.Object(
  {
    matchExpressions: Type.Optional(
      Type.Array(
        Type.Object({
          key: Text('Name of the claim.'),
          operator: StringEnum(['In', 'NotIn', 'Exists', 'DoesNotExist'], { description: 'How it is compared.' }),
          values: Type.Optional(Texts('For In, NotIn.', { maxItems: 1000, maxLength: 1024 })),
        }),
        { maxItems: 256, description: 'Conditions on claims; all must hold.' },
      ),
    ),
  },
  { description: 'Clusters by what they claim of themselves.' },
);

const Predicate = Type.Object({
  requiredClusterSelector: Type.Optional(
    Type.Object(
      {
        labelSelector: Type.Optional(LabelSelector),
        claimSelector: Type.Optional(ClaimSelector),
        celSelector: Type.Optional(
          Type.Object(
            { celExpressions: Type.Optional(Texts('Over managedCluster; all must hold.', { maxLength: 16_384 })) },
            { description: 'Clusters by CEL.' },
          ),
        ),
      },
      { description: 'What a cluster must be; all parts must hold.' },
    ),
  ),
});

const PrioritizerPolicy = Type.Object(
  {
    mode: Type.Optional(
      StringEnum(['Exact', 'Additive', ''], { default: 'Additive', description: 'Whether defaults count too.' }),
    ),
    configurations: Type.Optional(
      Type.Array(
        Type.Object({
          scoreCoordinate: Type.Object(
            {
              type: StringEnum(['BuiltIn', 'AddOn'], { default: 'BuiltIn', description: 'Where the score is from.' }),
              builtIn: Type.Optional(Text('Balance, Steady, ResourceAllocatableCPU or ResourceAllocatableMemory.')),
              addOn: Type.Optional(
                Type.Object(
                  { resourceName: Text('Name of the AddOnPlacementScore.'), scoreName: Text('Name of the score.') },
                  { description: "An add-on's score." },
                ),
              ),
            },
            { description: 'Which score.' },
          ),
          weight: Type.Optional(
            Type.Integer({ default: 1, minimum: -10, maximum: 10, description: 'How much it counts.' }),
          ),
        }),
        { maxItems: 256, description: 'Scores and their weights.' },
      ),
    ),
  },
  { description: 'Which clusters come first.' },
);

const SpreadPolicy = Type.Object(
  {
    spreadConstraints: Type.Optional(
      Type.Array(
        Type.Object({
          topologyKey: Text('Label or claim.', 316),
          topologyKeyType: StringEnum(['Label', 'Claim'], { description: 'What the key is.' }),
          maxSkew: Type.Optional(Type.Integer({ default: 1, minimum: 1, description: 'Greatest difference.' })),
          whenUnsatisfiable: Type.Optional(
            StringEnum(['DoNotSchedule', 'ScheduleAnyway'], { default: 'ScheduleAnyway', description: 'What then.' }),
          ),
        }),
        { maxItems: 8, ...mapBy('topologyKey', 'topologyKeyType'), description: 'How clusters are spread.' },
      ),
    ),
  },
  { description: 'Not implemented by OCM.' },
);

const ClusterToleration = Type.Object({
  key: Type.Optional(Text('Taint key; empty with operator Exists matches all.', 316)),
  operator: Type.Optional(StringEnum(['Exists', 'Equal'], { default: 'Equal', description: 'How it is compared.' })),
  value: Type.Optional(Text('Taint value, for Equal.', 1024)),
  effect: Type.Optional(
    StringEnum(['NoSelect', 'PreferNoSelect', 'NoSelectIfNew'], { description: 'Taint effect; absent: all.' }),
  ),
  tolerationSeconds: Type.Optional(Type.Integer({ description: 'How long the taint is tolerated.' })),
});

const DecisionStrategy = Type.Object(
  {
    groupStrategy: Type.Optional(
      Type.Object(
        {
          decisionGroups: Type.Optional(
            Type.Array(
              Type.Object({
                groupName: Type.String({
                  maxLength: 63,
                  pattern: '^[a-zA-Z0-9][-A-Za-z0-9_.]{0,61}[a-zA-Z0-9]$',
                  description: 'Name of the group.',
                }),
                groupClusterSelector: Type.Object(
                  { labelSelector: Type.Optional(LabelSelector), claimSelector: Type.Optional(ClaimSelector) },
                  { description: 'Clusters of the group.' },
                ),
              }),
              { maxItems: 1024, description: 'Groups with a name; the other clusters have none.' },
            ),
          ),
          clustersPerDecisionGroup: Type.Optional(
            IntOrString({
              default: '100%',
              pattern: '^((100|[1-9][0-9]{0,1})%|[1-9][0-9]*)$',
              description: 'Size of a group: a number or a percentage.',
            }),
          ),
        },
        { description: 'How clusters are grouped.' },
      ),
    ),
  },
  { description: 'How the decision is divided.' },
);

/** cluster.open-cluster-management.io/v1beta1; OCM owns this kind, its CRD is for hubs without OCM. */
export const placement = defineCrd({
  group: CLUSTER_GROUP,
  version: 'v1beta1',
  kind: 'Placement',
  plural: 'placements',
  scope: 'Namespaced',
  description: 'Which clusters of the sets bound to this namespace are selected.',
  properties: Type.Object({
    spec: Type.Object(
      {
        clusterSets: Type.Optional(Texts('Sets; empty: all that are bound.', { maxItems: 1024, maxLength: 253 })),
        numberOfClusters: Type.Optional(Type.Integer({ description: 'How many at most; absent: all.' })),
        predicates: Type.Optional(
          Type.Array(Predicate, { maxItems: 256, description: 'What clusters must be; one must hold.' }),
        ),
        prioritizerPolicy: Type.Optional(PrioritizerPolicy),
        spreadPolicy: Type.Optional(SpreadPolicy),
        tolerations: Type.Optional(
          Type.Array(ClusterToleration, { maxItems: 256, description: 'Taints of clusters that do not matter.' }),
        ),
        decisionStrategy: Type.Optional(DecisionStrategy),
        sortBy: Type.Optional(
          StringEnum(['ClusterName', 'Score'], { default: 'ClusterName', description: 'Not implemented by OCM.' }),
        ),
        scoreRateLimit: Type.Optional(
          Type.String({
            default: '1m',
            maxLength: 32,
            pattern: '^[0-9]+[hms]$',
            description: 'Not implemented by OCM.',
          }),
        ),
      },
      { description: 'Which clusters are wanted.' },
    ),
    status: Type.Optional(
      Type.Object(
        {
          numberOfSelectedClusters: Type.Optional(Count('Clusters that are selected.')),
          decisionGroups: Type.Optional(
            Type.Array(
              Type.Object({
                decisionGroupIndex: Type.Optional(Count('Number of the group, from 0.')),
                decisionGroupName: Type.Optional(Text('Name of the group.', 63)),
                decisions: Type.Optional(Texts('Names of its PlacementDecisions.', { maxItems: 1000 })),
                clusterCount: Type.Optional(Count('Clusters in it.')),
              }),
              { maxItems: 10_000, description: 'The groups.' },
            ),
          ),
          conditions: Type.Optional(Conditions),
          lastScoreUpdateTime: Type.Optional(
            Type.String({ format: 'date-time', description: 'When scores were last read.' }),
          ),
        },
        { description: "Written by OCM's scheduler." },
      ),
    ),
  }),
  columns: [
    {
      name: 'Succeeded',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="PlacementSatisfied")].status',
    },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="PlacementSatisfied")].reason' },
    { name: 'SelectedClusters', type: 'integer', jsonPath: '.status.numberOfSelectedClusters' },
    age,
  ],
});
export type Placement = NonNullable<(typeof placement)['type']>;

/**
 * One slice of a Placement's result. Label cluster.open-cluster-management.io/placement names the Placement, and
 * decision-group-index the group. Slices are patched one by one: a cluster that moves can be in none for a moment.
 */
export const placementDecision = defineCrd({
  group: CLUSTER_GROUP,
  version: 'v1beta1',
  kind: 'PlacementDecision',
  plural: 'placementdecisions',
  scope: 'Namespaced',
  description: 'At most 100 of the clusters that a Placement selects.',
  properties: Type.Object({
    status: Type.Optional(
      Type.Object(
        {
          decisions: Type.Array(
            Type.Object({
              clusterName: Text('Name of the ManagedCluster.'),
              reason: Text('Always empty.', 1024),
              score: Type.Optional(Type.Integer({ description: 'Its score.' })),
            }),
            { maxItems: 100, description: 'The clusters.' },
          ),
        },
        { description: "Written by OCM's scheduler." },
      ),
    ),
  }),
  columns: [{ name: 'Clusters', type: 'string', jsonPath: '.status.decisions[*].clusterName' }, age],
});
export type PlacementDecision = NonNullable<(typeof placementDecision)['type']>;
