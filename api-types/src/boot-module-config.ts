import { Type } from 'typebox';
import { defineCrd } from './crd.ts';
import { Text, Texts } from './schema.ts';

/** OpenShift's KMM only: loads a module at boot through a MachineConfig. Its CRD is for clusters on which upstream runs. */
export const bootModuleConfig = defineCrd({
  group: 'kmm.sigs.x-k8s.io',
  version: 'v1beta1',
  kind: 'BootModuleConfig',
  plural: 'bootmoduleconfigs',
  shortNames: ['bmc'],
  scope: 'Namespaced',
  description: 'A module that OpenShift nodes load at boot, by a MachineConfig.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          machineConfigName: Text('MachineConfig that is made or changed.'),
          machineConfigPoolName: Text('Pool of nodes that it is for.'),
          kernelModuleImage: Text('Image without a tag; a node takes its kernel version as the tag.', 512),
          kernelModuleName: Text('Name of the .ko file without its suffix.'),
          inTreeModulesToRemove: Type.Optional(Texts('In-tree modules that are unloaded first.')),
          firmwareFilesPath: Type.Optional(Text('Directory of the image whose files are copied to the node.', 1024)),
          workerImage: Type.Optional(Text("Image that loads; the operator's own when absent.", 512)),
        },
        { description: 'What is loaded.' },
      ),
    ),
    status: Type.Optional(
      Type.Object({ configStatus: Type.Optional(Text('Never written upstream.', 1024)) }, { description: 'Empty.' }),
    ),
  }),
  columns: [
    { name: 'MachineConfig', type: 'string', jsonPath: '.spec.machineConfigName' },
    { name: 'Module', type: 'string', jsonPath: '.spec.kernelModuleName' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
