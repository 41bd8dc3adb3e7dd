import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { IntOrString, StringMap } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });

/** Nodes of a cluster that look alike. */
export const NodeGroup = Type.Object({
  kernelVersion: Name('uname -r of all of them.', 128),
  architecture: Name('GOARCH name.', 16),
  osImage: Type.Optional(Name('Pretty name of the operating system.')),
  secureBoot: Type.Optional(Type.Boolean({ description: 'UEFI Secure Boot is on.' })),
  count: Type.Integer({ minimum: 1, description: 'How many nodes.' }),
  nodes: Type.Array(Type.String({ maxLength: 253 }), { maxItems: 20, description: 'The first of them, by name.' }),
  features: StringMap({ description: 'Feature labels that all of them share, without the usual prefix.' }),
  zones: Type.Optional(
    Type.Array(
      Type.Object({
        name: Name('Zone, e.g. "node-0".', 64),
        resources: Type.Optional(
          Type.Unsafe<Record<string, string | number>>({
            type: 'object',
            maxProperties: 32,
            additionalProperties: IntOrString(),
            description: 'Capacity by resource name, the same on all of them.',
          }),
        ),
      }),
      { maxItems: 16, description: 'NUMA zones, the same on all of them.' },
    ),
  ),
  modules: Type.Optional(
    Type.Array(
      Type.Object({
        name: Name('`namespace/name` of the Module.', 512),
        image: Type.Optional(Name('What is loaded, by digest.', 512)),
        state: Name('Loaded, Pending or an error reason.', 128),
        count: Type.Integer({ minimum: 1, description: 'On how many of these nodes.' }),
      }),
      { maxItems: 64, description: 'Modules on these nodes.' },
    ),
  ),
});
export type NodeGroup = Static<typeof NodeGroup>;

export const ClusterInventorySpec = Type.Object(
  {
    kernelVersions: Type.Array(Type.String({ maxLength: 128 }), { maxItems: 64, description: 'Kernels of all nodes.' }),
    nodeCount: Type.Integer({ minimum: 0, description: 'Nodes of the cluster.' }),
    groups: Type.Array(NodeGroup, { maxItems: 64, description: 'Nodes that look alike, largest group first.' }),
    truncated: Type.Optional(Type.Boolean({ description: 'Something was left out to keep the object small.' })),
  },
  { description: 'What the nodes are.' },
);
export type ClusterInventorySpec = Static<typeof ClusterInventorySpec>;

export const clusterInventory = defineCrd({
  group: 'hub.kmm.sigs.x-k8s.io',
  version: 'v1alpha1',
  kind: 'ClusterInventory',
  plural: 'clusterinventories',
  shortNames: ['cinv'],
  scope: 'Namespaced',
  description: "What one cluster's nodes are, in the cluster's namespace on the hub. Written by its cluster agent.",
  properties: Type.Object({ spec: Type.Optional(ClusterInventorySpec) }),
  columns: [
    { name: 'Nodes', type: 'integer', jsonPath: '.spec.nodeCount' },
    { name: 'Kernels', type: 'string', jsonPath: '.spec.kernelVersions' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ClusterInventory = NonNullable<(typeof clusterInventory)['type']>;
