import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { inTreeFields } from './kernel-mapping.ts';
import { Modprobe } from './modprobe.ts';
import { LocalObjectReference, mapBy, Text } from './schema.ts';
import { Toleration } from './toleration.ts';

/** What a node is to load, or has loaded (KMM v2.6 ModuleConfig). */
export const ModuleConfig = Type.Object(
  {
    kernelVersion: Text('The kernel that the image is for.'),
    containerImage: Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'Image with the .ko files, most often by digest.',
    }),
    insecurePull: Type.Boolean({ description: 'Plain HTTP, or TLS without verification.' }),
    imagePullPolicy: Type.Optional(
      Type.String({ default: 'IfNotPresent', maxLength: 32, description: 'Always, IfNotPresent or Never.' }),
    ),
    ...inTreeFields,
    modprobe: Modprobe,
  },
  { description: 'The image and how it is loaded.' },
);
export type ModuleConfig = Static<typeof ModuleConfig>;

const item = {
  name: Text('Name of the Module.'),
  namespace: Text('Namespace of the Module.'),
  serviceAccountName: Text('Service account under which it loads.'),
  imageRepoSecret: Type.Optional(LocalObjectReference),
  tolerations: Type.Optional(
    Type.Array(Toleration, { maxItems: 128, description: 'Taints that do not keep it away.' }),
  ),
  version: Type.Optional(Text('Version, for ordered upgrades.', 63)),
};

export const NodeModuleSpec = Type.Object({ ...item, config: ModuleConfig });
export type NodeModuleSpec = Static<typeof NodeModuleSpec>;

export const NodeModuleStatus = Type.Object({
  ...item,
  config: Type.Optional(ModuleConfig),
  bootId: Type.Optional(Text('Boot of the node in which it was loaded.', 64)),
  error: Type.Optional(
    Type.Object(
      {
        reason: Text('What failed, in one CamelCase word.', 128),
        message: Text("What failed, in the kernel's or the registry's own words, with the remedy.", 4096),
        nextAttempt: Type.Optional(Type.String({ format: 'date-time', description: 'When it is tried again.' })),
      },
      { description: 'Why the wanted configuration is not loaded yet.' },
    ),
  ),
});
export type NodeModuleStatus = Static<typeof NodeModuleStatus>;

export const nodeModulesConfig = defineCrd({
  group: 'kmm.sigs.x-k8s.io',
  version: 'v1beta1',
  kind: 'NodeModulesConfig',
  plural: 'nodemodulesconfigs',
  shortNames: ['nmc'],
  scope: 'Cluster',
  description: 'What one node is to load and what it has loaded. Internal: written by the agents.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          modules: Type.Optional(
            Type.Array(NodeModuleSpec, {
              maxItems: 256,
              ...mapBy('namespace', 'name'),
              description: 'Wanted modules.',
            }),
          ),
        },
        { description: 'Written by the cluster agent.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          modules: Type.Optional(
            Type.Array(NodeModuleStatus, {
              maxItems: 256,
              ...mapBy('namespace', 'name'),
              description: 'Loaded modules.',
            }),
          ),
        },
        { description: 'Written by the node agent.' },
      ),
    ),
  }),
  columns: [
    { name: 'Wanted', type: 'string', jsonPath: '.spec.modules[*].name' },
    { name: 'Reported', type: 'string', jsonPath: '.status.modules[*].name' },
    { name: 'Error', type: 'string', jsonPath: '.status.modules[*].error.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type NodeModulesConfig = NonNullable<(typeof nodeModulesConfig)['type']>;
