import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Opaque } from './schema.ts';

// Kinds of OCM's operator, which installs OCM itself. Nothing here reads them; whatever stands in them is kept as it is.

const operator = {
  group: 'operator.open-cluster-management.io',
  version: 'v1',
  scope: 'Cluster',
  properties: Type.Object({
    spec: Type.Optional(Opaque({ description: "As OCM's operator defines it." })),
    status: Type.Optional(Opaque({ description: "Written by OCM's operator." })),
  }),
  columns: [
    ...(['Applied', 'Available', 'Progressing'] as const).map(
      (type) => ({ name: type, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].status` }) as const,
    ),
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const,
  ],
} as const;

export const klusterlet = defineCrd({
  ...operator,
  columns: [...operator.columns],
  kind: 'Klusterlet',
  plural: 'klusterlets',
  description: "OCM's agents on a spoke.",
});

export const clusterManager = defineCrd({
  ...operator,
  columns: [...operator.columns],
  kind: 'ClusterManager',
  plural: 'clustermanagers',
  description: "OCM's controllers on the hub.",
});
