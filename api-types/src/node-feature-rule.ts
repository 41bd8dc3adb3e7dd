import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { MapOf, mapBy, StringEnum, StringMap, Text, Texts } from './schema.ts';

/** NFD v0.18 MatchExpression. */
export const MatchExpression = Type.Object(
  {
    op: StringEnum(
      [
        ...['In', 'NotIn', 'InRegexp', 'Exists', 'DoesNotExist', 'Gt', 'Ge', 'Lt'],
        ...['Le', 'GtLt', 'GeLe', 'IsTrue', 'IsFalse'],
      ] as const,
      { description: 'How the value of the feature is compared.' },
    ),
    value: Type.Optional(
      Texts('What it is compared with: none, one, two or many, as op needs.', { maxItems: 4096 }), // every id of a vendor
    ),
    type: Type.Optional(Text('`version` compares as versions, for Gt, Ge, Lt, Le, GtLt and GeLe.', 32)),
  },
  { description: 'A condition on one value.' },
);
export type MatchExpression = Static<typeof MatchExpression>;

/** NFD FeatureMatcherTerm: a condition on one set of features. */
export const FeatureMatcherTerm = Type.Object({
  feature: Text('Set of features, e.g. pci.device.'),
  matchExpressions: Type.Optional(
    MapOf(MatchExpression, { maxProperties: 256, description: 'Name of the feature → condition; all must hold.' }),
  ),
  matchName: Type.Optional(MatchExpression),
});
export type FeatureMatcherTerm = Static<typeof FeatureMatcherTerm>;

const terms = () => Type.Array(FeatureMatcherTerm, { maxItems: 128, description: 'Conditions; all must hold.' });

const matching = {
  name: Text('Name of the rule.', 1024),
  vars: Type.Optional(StringMap({ description: 'Values for later rules, in the set rule.matched.' })),
  varsTemplate: Type.Optional(Text('Go template that gives lines name=value, as vars.', 65_536)),
  matchFeatures: Type.Optional(terms()),
  matchAny: Type.Optional(
    Type.Array(Type.Object({ matchFeatures: terms() }), {
      maxItems: 128,
      description: 'Alternatives; one must hold, and matchFeatures too.',
    }),
  ),
};

/** NFD Rule (v1alpha1). */
export const FeatureRule = Type.Object({
  ...matching,
  labels: Type.Optional(StringMap({ description: 'Labels of a node that matches; "@set.name" takes a value over.' })),
  labelsTemplate: Type.Optional(Text('Go template that gives lines name=value, as labels.', 65_536)),
  annotations: Type.Optional(StringMap({ description: 'Annotations of a node that matches.' })),
  taints: Type.Optional(
    Type.Array(
      Type.Object({
        key: Text('Taint key.', 316),
        value: Type.Optional(Text('Taint value.', 63)),
        effect: Text('NoSchedule, PreferNoSchedule or NoExecute.', 32),
        timeAdded: Type.Optional(Type.String({ format: 'date-time', description: 'Not used.' })),
      }),
      { maxItems: 64, description: 'Taints of a node that matches.' },
    ),
  ),
  extendedResources: Type.Optional(StringMap({ description: 'Extended resources of a node that matches.' })),
});
export type FeatureRule = Static<typeof FeatureRule>;

/** NFD GroupRule (v1alpha1). */
export const FeatureGroupRule = Type.Object(matching);
export type FeatureGroupRule = Static<typeof FeatureGroupRule>;

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

export const nodeFeatureRule = defineCrd({
  group: 'nfd.k8s-sigs.io',
  version: 'v1alpha1',
  kind: 'NodeFeatureRule',
  plural: 'nodefeaturerules',
  shortNames: ['nfr'],
  scope: 'Cluster',
  description: 'Labels, annotations, taints and extended resources for nodes with certain features.',
  properties: Type.Object({
    spec: Type.Object(
      { rules: Type.Array(FeatureRule, { maxItems: 512, description: 'Evaluated in this order.' }) },
      { description: 'The rules; objects are evaluated in the order of their names.' },
    ),
  }),
  columns: [{ name: 'Rules', type: 'string', jsonPath: '.spec.rules[*].name' }, age],
});
export type NodeFeatureRule = NonNullable<(typeof nodeFeatureRule)['type']>;

/** The same kind in the group in which OpenShift's NFD serves it, too, since 4.11. */
export const openshiftNodeFeatureRule = defineCrd({ ...nodeFeatureRule.definition, group: 'nfd.openshift.io' });

export const nodeFeatureGroup = defineCrd({
  group: 'nfd.k8s-sigs.io',
  version: 'v1alpha1',
  kind: 'NodeFeatureGroup',
  plural: 'nodefeaturegroups',
  shortNames: ['nfg'],
  scope: 'Namespaced',
  description: 'Nodes with certain features, by name.',
  properties: Type.Object({
    spec: Type.Object(
      { featureGroupRules: Type.Array(FeatureGroupRule, { maxItems: 512, description: 'One must match.' }) },
      { description: 'Which nodes belong to it.' },
    ),
    status: Type.Optional(
      Type.Object(
        {
          nodes: Type.Optional(
            Type.Array(Type.Object({ name: Text('Name of the Node.') }), {
              maxItems: 10_000,
              ...mapBy('name'),
              description: 'Nodes that match.',
            }),
          ),
        },
        { description: 'Which nodes they are.' },
      ),
    ),
  }),
  columns: [{ name: 'Nodes', type: 'string', jsonPath: '.status.nodes[*].name' }, age],
});
export type NodeFeatureGroup = NonNullable<(typeof nodeFeatureGroup)['type']>;
