import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { MapOf, StringMap } from './schema.ts';

/** kernel.config and cpu.cpuid hold thousands and hundreds of names; a set of the local source as many as its file has lines. */
const NAMES = { maxProperties: 65_536 };
const SETS = { maxProperties: 1024 };

const Value = () => Type.String({ maxLength: 16384 });

/** What discovery found, as NFD v0.17 and later write it (flags, attributes, instances by set name). */
export const Features = Type.Object(
  {
    flags: Type.Optional(
      MapOf(Type.Object({ elements: MapOf(Type.Object({}), { ...NAMES, description: 'Name → nothing.' }) }), {
        ...SETS,
        description: 'Sets of names, e.g. cpu.cpuid.',
      }),
    ),
    attributes: Type.Optional(
      MapOf(Type.Object({ elements: MapOf(Value(), { ...NAMES, description: 'Name → value.' }) }), {
        ...SETS,
        description: 'Sets of names with values, e.g. kernel.version.',
      }),
    ),
    instances: Type.Optional(
      MapOf(
        Type.Object({
          elements: Type.Array(
            Type.Object({ attributes: MapOf(Value(), { ...NAMES, description: 'Name → value.' }) }),
            {
              maxItems: 4096,
              description: 'One entry a device.',
            },
          ),
        }),
        { ...SETS, description: 'Sets of devices, e.g. pci.device.' },
      ),
    ),
  },
  { description: 'Raw features; rules match on them.' },
);
export type Features = Static<typeof Features>;

export const nodeFeature = defineCrd({
  group: 'nfd.k8s-sigs.io',
  version: 'v1alpha1',
  kind: 'NodeFeature',
  plural: 'nodefeatures',
  shortNames: ['nf'],
  scope: 'Namespaced',
  columns: [
    {
      name: 'Node',
      type: 'string',
      jsonPath: '.metadata.labels.nfd\\.node\\.kubernetes\\.io/node-name',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  description: 'What discovery found on one node. Label nfd.node.kubernetes.io/node-name names the node.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          features: Type.Optional(Features),
          labels: Type.Optional(StringMap({ maxProperties: 1024, description: 'Labels that the node is to get.' })),
        },
        { description: 'Written by the node agent.' },
      ),
    ),
  }),
});
export type NodeFeature = NonNullable<(typeof nodeFeature)['type']>;
