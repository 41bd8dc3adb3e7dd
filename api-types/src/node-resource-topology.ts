import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { IntOrString } from './schema.ts';

const Name = (description: string) => Type.String({ maxLength: 253, description });
const Attributes = (description: string) =>
  Type.Array(
    Type.Object({ name: Name('Attribute.'), value: Type.String({ maxLength: 4096, description: 'Its value.' }) }),
    { maxItems: 64, description },
  );

/** One NUMA node of a machine. */
export const Zone = Type.Object({
  name: Name('e.g. "node-0".'),
  type: Name('e.g. "Node".'),
  parent: Type.Optional(Name('Zone that holds this one.')),
  costs: Type.Optional(
    Type.Array(Type.Object({ name: Name('Zone.'), value: Type.Integer({ description: 'Distance to it.' }) }), {
      maxItems: 1024,
      description: 'Distances to every zone.',
    }),
  ),
  attributes: Type.Optional(Attributes('More about the zone.')),
  resources: Type.Optional(
    Type.Array(
      Type.Object({
        name: Name('e.g. "cpu".'),
        capacity: IntOrString({ description: 'All of it.' }),
        allocatable: IntOrString({ description: 'What pods may get.' }),
        available: IntOrString({ description: 'What no pod has.' }),
      }),
      { maxItems: 256, description: 'Resources of the zone.' },
    ),
  ),
});
export type Zone = Static<typeof Zone>;

const Policies = Type.Array(Type.String({ maxLength: 64 }), {
  maxItems: 8,
  description: 'Deprecated upstream, still written.',
});
const zones = Type.Array(Zone, { maxItems: 1024, description: 'NUMA zones.' });

/**
 * topology.node.k8s.io of NFD's topology updater and the schedulers that read it. v1alpha2 is stored; v1alpha1 has the policies in
 * attributes' place and requires them, so whoever writes gives both.
 */
export const nodeResourceTopology = defineCrd({
  group: 'topology.node.k8s.io',
  version: 'v1alpha2',
  kind: 'NodeResourceTopology',
  plural: 'noderesourcetopologies',
  shortNames: ['node-res-topo'],
  scope: 'Cluster',
  description: 'NUMA zones of one node; the name is the name of the node.',
  columns: [
    { name: 'Zones', type: 'string', jsonPath: '.zones[*].name' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  properties: Type.Object({
    topologyPolicies: Type.Optional(Policies),
    zones,
    attributes: Type.Optional(Attributes('Topology manager policy and scope.')),
  }),
  otherVersions: [{ version: 'v1alpha1', properties: Type.Object({ topologyPolicies: Policies, zones }) }],
  annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/1870' },
});
export type NodeResourceTopology = NonNullable<(typeof nodeResourceTopology)['type']>;
