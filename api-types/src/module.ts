import { type Static, Type } from 'typebox';
import { Build, CheckedSign, TlsOptions } from './build-sign.ts';
import { defineCrd } from './crd.ts';
import { DevicePlugin, Dra, PullPolicy } from './device-plugin.ts';
import { hasInTreeList, hasInTreeSingle, imageRules, inTreeFields, KernelMapping } from './kernel-mapping.ts';
import { CheckedModprobe } from './modprobe.ts';
import { LABEL_NAME } from './patterns.ts';
import { Count, LocalObjectReference, rules, StringMap, Text } from './schema.ts';
import { CheckedToleration } from './toleration.ts';

/** CEL: dirName and a slash are put together once, as `dir`, since there may be 1,000 mappings with 256 files each. */
const withDir = (rule: string) => `[self.modprobe.dirName + '/'].all(dir, ${rule})`;
/** CEL: whether `sign` of an object names only files below dirName, before templates are filled in. */
const signsBelowDirName = (object: string) =>
  `!has(${object}.sign) || !has(${object}.sign.filesToSign) || ${object}.sign.filesToSign.all(file, file.startsWith(dir))`;
/** CEL: whether `sign` of an object says what to sign when nothing is built. */
const hasUnsigned = (object: string) =>
  `has(${object}.sign) && has(${object}.sign.unsignedImage) && ${object}.sign.unsignedImage != ''`;
/** CEL: a mapping `m`, or the container that it inherits from, names the object that `section.reference` is. */
const eitherNames = (section: 'build' | 'sign', reference: string) =>
  ['m', 'self']
    .map((object) => `${object}.${section}`)
    .map((place) => `(has(${place}) && has(${place}.${reference}.name) && ${place}.${reference}.name != '')`)
    .join(' || ');
const DIR_NAME_MESSAGE =
  'sign.filesToSign must begin with modprobe.dirName and a slash, as in /opt/lib/modules/; correct the path or dirName';

export const ModuleLoaderContainer = Type.Object(
  {
    modprobe: CheckedModprobe,
    kernelMappings: Type.Array(KernelMapping, { minItems: 1, maxItems: 1000, description: 'Kernel → image.' }),
    containerImage: Type.Optional(Text('Image for mappings that name none.', 512)),
    build: Type.Optional(Build),
    sign: Type.Optional(CheckedSign),
    registryTLS: Type.Optional(TlsOptions),
    imagePullPolicy: Type.Optional(PullPolicy),
    version: Type.Optional(
      Type.String({
        maxLength: 63,
        description: 'Enables ordered upgrade by node labels.',
        ...rules({
          rule: `self == '' || self.matches('^${LABEL_NAME}$')`,
          message:
            'version must be a label value, since nodes carry it: letters, digits, - _ and . between them; correct it',
        }),
      }),
    ),
    ...inTreeFields,
  },
  {
    description: 'What is loaded, and from which image on which kernel.',
    ...rules(
      ...imageRules,
      {
        rule: "(has(self.containerImage) && self.containerImage != '') || self.kernelMappings.all(m, has(m.containerImage) && m.containerImage != '')",
        message: 'a kernel mapping has no containerImage; set it there, or set containerImage of the container for all',
      },
      {
        rule: `!(${hasInTreeList('self')}) || !self.kernelMappings.exists(m, ${hasInTreeSingle('m')})`,
        message:
          'a kernel mapping sets inTreeModuleToRemove beside inTreeModulesToRemove of the container; use the list in both',
      },
      {
        rule: `!(${hasInTreeSingle('self')}) || !self.kernelMappings.exists(m, ${hasInTreeList('m')})`,
        message:
          'a kernel mapping sets inTreeModulesToRemove beside inTreeModuleToRemove of the container; use the list in both',
      },
      {
        rule: withDir(signsBelowDirName('self')),
        message: DIR_NAME_MESSAGE,
      },
      {
        rule: withDir(`self.kernelMappings.all(m, ${signsBelowDirName('m')})`),
        message: `a kernel mapping's ${DIR_NAME_MESSAGE}`,
      },
      {
        rule: `has(self.build) || (${hasUnsigned('self')}) || self.kernelMappings.all(m, !(has(self.sign) || has(m.sign)) || has(m.build) || (${hasUnsigned('m')}))`,
        message: 'sign has nothing to sign: a kernel mapping has neither build nor sign.unsignedImage; set one of them',
      },
      {
        rule: `self.kernelMappings.all(m, !(has(self.build) || has(m.build)) || ${eitherNames('build', 'dockerfileConfigMap')})`,
        message:
          'build names no Dockerfile; set dockerfileConfigMap.name, there or in build of the container, to a ConfigMap with key dockerfile',
      },
      {
        rule: `self.kernelMappings.all(m, !(has(self.sign) || has(m.sign)) || ((${eitherNames('sign', 'keySecret')}) && (${eitherNames('sign', 'certSecret')})))`,
        message:
          'sign names no Secret; set keySecret.name and certSecret.name, there or in sign of the container, to Secrets with key key and key cert',
      },
      {
        rule: "(has(self.version) && self.version != '') == (has(oldSelf.version) && oldSelf.version != '')",
        message: 'version can neither be added nor removed later; delete the object and create it anew',
      },
    ),
  },
);
export type ModuleLoaderContainer = Static<typeof ModuleLoaderContainer>;

/** Module.spec and ManagedClusterModule.spec.moduleSpec (KMM v2.6, v1beta1). */
export const ModuleSpec = Type.Object(
  {
    selector: StringMap({ description: 'Labels of the nodes that get the module.' }),
    moduleLoader: Type.Optional(
      Type.Object(
        { container: ModuleLoaderContainer, serviceAccountName: Type.Optional(Text('Service account that may load.')) },
        { description: 'Absent for an in-tree driver: only its device plugin or DRA driver runs.' },
      ),
    ),
    devicePlugin: Type.Optional(DevicePlugin),
    dra: Type.Optional(Dra),
    imageRepoSecret: Type.Optional(LocalObjectReference),
    tolerations: Type.Optional(
      Type.Array(CheckedToleration, { maxItems: 64, description: 'Taints that do not keep it away.' }),
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

const count = (description: string) => Type.Optional(Count(description));
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

export const ModuleStatus = Type.Object(
  {
    moduleLoader: Numbers('The kernel module on the nodes.'),
    devicePlugin: Numbers('The device plugin on the nodes.'),
    dra: Numbers('The DRA driver on the nodes.'),
    imageRebuildTriggerGeneration: Type.Optional(Type.Integer({ description: 'The trigger that was last obeyed.' })),
    observedGeneration: Type.Optional(Type.Integer({ description: 'The generation that these numbers are of.' })),
    degraded: Type.Optional(
      Type.Object(
        {
          reason: Type.Optional(
            Text('Why the worst node is not right, in one CamelCase word; empty when all are.', 128),
          ),
          message: Type.Optional(Text('The same for a person, with the node and the remedy.', 1024)),
        },
        { description: 'The first thing that is not right on any node; fed back to the hub.' },
      ),
    ),
  },
  { description: 'How far the cluster is. Written by its cluster agent.' },
);
export type ModuleStatus = Static<typeof ModuleStatus>;

export const module = defineCrd({
  group: 'kmm.sigs.x-k8s.io',
  version: 'v1beta1',
  kind: 'Module',
  plural: 'modules',
  shortNames: ['kmod'],
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
