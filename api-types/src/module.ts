import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { LocalObjectReference, Opaque, rules, StringMap, Toleration } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });
const Strings = (description: string, options: { minItems?: number } = {}) =>
  Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 256, ...options, description });

export const TlsOptions = Type.Object(
  {
    insecure: Type.Optional(Type.Boolean({ description: 'Plain HTTP instead of HTTPS.' })),
    insecureSkipTLSVerify: Type.Optional(Type.Boolean({ description: 'The server certificate is not checked.' })),
  },
  { description: 'How the registry is reached.' },
);

export const BuildArg = Type.Object({ name: Name('Name of the ARG.'), value: Name('Its value.', 4096) });

/** How an image is built when its registry does not have it (KMM v2.6 `build`). */
export const Build = Type.Object(
  {
    dockerfileConfigMap: LocalObjectReference,
    buildArgs: Type.Optional(Type.Array(BuildArg, { maxItems: 128, description: 'Build arguments, by name.' })),
    secrets: Type.Optional(
      Type.Array(LocalObjectReference, {
        maxItems: 64,
        description: 'Mounted at /run/secrets/<name> during the build.',
      }),
    ),
    baseImageRegistryTLS: Type.Optional(TlsOptions),
    kanikoParams: Type.Optional(
      Type.Object({ tag: Type.Optional(Name('Accepted for upstream; kaniko is not used here.')) }),
    ),
    selector: Type.Optional(StringMap({ description: 'Accepted for upstream: nodes that ran the build pod.' })),
  },
  { description: 'Builds the image in the hub. The Dockerfile is key `dockerfile` of the ConfigMap.' },
);
export type Build = Static<typeof Build>;

/** How the kernel modules of an image are signed (KMM v2.6 `sign`). */
export const Sign = Type.Object(
  {
    keySecret: LocalObjectReference,
    certSecret: LocalObjectReference,
    unsignedImage: Type.Optional(Name('Image to sign; needed when there is no build.', 512)),
    unsignedImageRegistryTLS: Type.Optional(TlsOptions),
    filesToSign: Type.Optional(Strings('Absolute paths of the .ko files in the image; globs and templates allowed.')),
  },
  { description: 'Signs the .ko files. Secret keys: `key` (PEM private key) and `cert` (PEM or DER certificate).' },
);
export type Sign = Static<typeof Sign>;

const inTree = {
  inTreeModulesToRemove: Type.Optional(Strings('In-tree modules that are unloaded first.')),
  inTreeModuleToRemove: Type.Optional(Name('Deprecated single form; never together with the list.')),
};

export const KernelMapping = Type.Object(
  {
    literal: Type.Optional(Name('The kernel version itself.')),
    regexp: Type.Optional(Name('RE2 expression searched in the kernel version; not anchored.', 1024)),
    containerImage: Type.Optional(
      Name('Image for these kernels; templates allowed. Empty: the container-level one.', 512),
    ),
    build: Type.Optional(Build),
    sign: Type.Optional(Sign),
    registryTLS: Type.Optional(TlsOptions),
    ...inTree,
  },
  {
    description: 'Which image serves which kernels. The first entry that matches wins.',
    ...rules({
      rule: '(has(self.literal) && self.literal != "") != (has(self.regexp) && self.regexp != "")',
      message: 'a kernel mapping needs exactly one of literal and regexp; remove one, or set one',
    }),
  },
);
export type KernelMapping = Static<typeof KernelMapping>;

const Args = (description: string) =>
  Type.Object(
    {
      load: Type.Optional(Strings('Arguments for loading.', { minItems: 1 })),
      unload: Type.Optional(Strings('Arguments for unloading.', { minItems: 1 })),
    },
    { description },
  );

export const Modprobe = Type.Object(
  {
    moduleName: Type.Optional(Name('Module to load, without .ko.')),
    dirName: Type.Optional(
      Type.String({ default: '/opt', maxLength: 1024, description: 'Root of lib/modules/<kernel> in the image.' }),
    ),
    parameters: Type.Optional(Strings('Module parameters, e.g. "debug=1".')),
    args: Type.Optional(Args('Inserted before the module name.')),
    rawArgs: Type.Optional(Args('The whole argument list; every other field is ignored.')),
    firmwarePath: Type.Optional(Name('Directory of the image whose files are copied to the node.', 1024)),
    modulesLoadingOrder: Type.Optional(Strings('Module and its dependencies; loaded last to first.')),
  },
  { description: 'How the module is loaded and unloaded.' },
);
export type Modprobe = Static<typeof Modprobe>;

export const ModuleLoaderContainer = Type.Object({
  modprobe: Modprobe,
  kernelMappings: Type.Array(KernelMapping, { minItems: 1, maxItems: 1000, description: 'Kernel → image.' }),
  containerImage: Type.Optional(Name('Image for mappings that name none.', 512)),
  build: Type.Optional(Build),
  sign: Type.Optional(Sign),
  registryTLS: Type.Optional(TlsOptions),
  imagePullPolicy: Type.Optional(Name('Always, IfNotPresent or Never.', 32)),
  version: Type.Optional(Name('Enables ordered upgrade by node labels.', 63)),
  ...inTree,
});
export type ModuleLoaderContainer = Static<typeof ModuleLoaderContainer>;

/** Module.spec and ManagedClusterModule.spec.moduleSpec (KMM v2.6, v1beta1). */
export const ModuleSpec = Type.Object(
  {
    selector: StringMap({ description: 'Labels of the nodes that get the module.' }),
    moduleLoader: Type.Optional(
      Type.Object(
        { container: ModuleLoaderContainer, serviceAccountName: Type.Optional(Name('Service account that may load.')) },
        { description: 'Absent for an in-tree driver: only its device plugin or DRA driver runs.' },
      ),
    ),
    devicePlugin: Type.Optional(Opaque({ description: 'Device plugin; exclusive with dra.' })),
    dra: Type.Optional(Opaque({ description: 'Dynamic resource allocation driver; exclusive with devicePlugin.' })),
    imageRepoSecret: Type.Optional(LocalObjectReference),
    tolerations: Type.Optional(
      Type.Array(Toleration, { maxItems: 64, description: 'Taints that do not keep it away.' }),
    ),
    imageRebuildTriggerGeneration: Type.Optional(
      Type.Integer({ description: 'Change it to have images looked at anew.' }),
    ),
  },
  {
    description: 'Which nodes get which module from which image.',
    ...rules({
      rule: '!(has(self.dra) && has(self.devicePlugin))',
      message: 'devicePlugin and dra are mutually exclusive; remove one of them',
    }),
  },
);
export type ModuleSpec = Static<typeof ModuleSpec>;

const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));
const Numbers = (what: string) =>
  Type.Optional(
    Type.Object(
      {
        nodesMatchingSelectorNumber: count('Schedulable nodes that the selector matches.'),
        desiredNumber: count('Nodes that are to have it.'),
        availableNumber: count('Nodes that have it.'),
      },
      { description: what },
    ),
  );

export const ModuleStatus = Type.Object({
  moduleLoader: Numbers('The kernel module on the nodes.'),
  devicePlugin: Numbers('The device plugin on the nodes.'),
  dra: Numbers('The DRA driver on the nodes.'),
  imageRebuildTriggerGeneration: Type.Optional(Type.Integer({ description: 'The trigger that was last obeyed.' })),
  observedGeneration: Type.Optional(Type.Integer({ description: 'The generation that these numbers are of.' })),
  degraded: Type.Optional(
    Type.Object(
      {
        reason: Type.Optional(Name('Why the worst node is not right, in one CamelCase word; empty when all are.', 128)),
        message: Type.Optional(Name('The same for a person, with the node and the remedy.', 1024)),
      },
      { description: 'The first thing that is not right on any node; fed back to the hub.' },
    ),
  ),
});
export type ModuleStatus = Static<typeof ModuleStatus>;

export const module = defineCrd({
  group: 'kmm.sigs.x-k8s.io',
  version: 'v1beta1',
  kind: 'Module',
  plural: 'modules',
  scope: 'Namespaced',
  description: 'A kernel module for the nodes of this cluster.',
  properties: Type.Object({ spec: Type.Optional(ModuleSpec), status: Type.Optional(ModuleStatus) }),
  columns: [
    { name: 'Matching', type: 'integer', jsonPath: '.status.moduleLoader.nodesMatchingSelectorNumber' },
    { name: 'Desired', type: 'integer', jsonPath: '.status.moduleLoader.desiredNumber' },
    { name: 'Loaded', type: 'integer', jsonPath: '.status.moduleLoader.availableNumber' },
    { name: 'Reason', type: 'string', jsonPath: '.status.degraded.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type Module = Omit<NonNullable<(typeof module)['type']>, 'spec'> & { spec: ModuleSpec };
