import { Type } from 'typebox';
import { CoreType } from './core-schema/core-type.ts';
import { defineCrd } from './crd.ts';
import { Nullable, StringMap, Text, Texts } from './schema.ts';
import { Toleration } from './toleration.ts';

// NFD's operator writes null for much of what is not set.
const OptionalText = (description: string, maxLength?: number) => Type.Optional(Nullable(Text(description, maxLength)));
const Names = (description: string) => Type.Optional(Nullable(Texts(description, { maxLength: 253 })));
const Tolerations = (description: string) => Type.Optional(Type.Array(Toleration, { maxItems: 256, description }));
const Environment = (description: string) =>
  Type.Optional(Type.Array(CoreType('EnvVar'), { maxItems: 256, description }));

/** Conditions of OpenShift's operators, which are looser than metav1.Condition. */
const OperatorConditions = Type.Optional(
  Type.Array(
    Type.Object({
      type: Text('Available, Progressing, Degraded or Upgradeable.', 316),
      status: Text('True, False or Unknown.', 16),
      reason: Type.Optional(Text('Why, in one word.', 1024)),
      message: Type.Optional(Text('Why, for a person.', 32_768)),
      lastHeartbeatTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it was last judged.' })),
      lastTransitionTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it last changed.' })),
    }),
    { maxItems: 128, description: 'How the operand fares.' },
  ),
);

const Configuration = (description: string) =>
  Type.Object(
    {
      configData: Text('The file, as YAML.', 1_048_576),
      status: Type.Optional(Type.Object({ conditions: OperatorConditions }, { description: 'Never written.' })),
    },
    { description },
  );

const Operand = Type.Object(
  {
    image: OptionalText("Image of NFD; the operator's own when absent.", 512),
    imagePullPolicy: OptionalText('Always, Never or IfNotPresent.', 32),
    servicePort: Type.Optional(Type.Integer({ description: 'Port of nfd-master.' })),
    namespace: OptionalText('Until OpenShift 4.8: where it runs.', 63),
    workerTolerations: Tolerations('Tolerations of nfd-worker.'),
    masterTolerations: Tolerations('Tolerations of nfd-master.'),
    gcTolerations: Tolerations('Tolerations of nfd-gc.'),
    workerEnvs: Environment('Environment of nfd-worker.'),
    masterEnvs: Environment('Environment of nfd-master.'),
    workerNodeSelector: Type.Optional(StringMap({ description: 'Labels of the nodes of nfd-worker.' })),
    gcNodeSelector: Type.Optional(StringMap({ description: 'Labels of the nodes of nfd-gc.' })),
    workerPriorityClassName: Type.Optional(Text('Priority class of nfd-worker.')),
  },
  { description: 'How NFD is deployed.' },
);

/**
 * nfd.openshift.io/v1, by which OpenShift's operator installs NFD. It takes what every release since 4.8 knew, and both spellings of
 * topologyUpdater, so that no object of a user loses a field.
 */
export const nodeFeatureDiscovery = defineCrd({
  group: 'nfd.openshift.io',
  version: 'v1',
  kind: 'NodeFeatureDiscovery',
  plural: 'nodefeaturediscoveries',
  shortNames: ['nfd'],
  scope: 'Namespaced',
  description: 'An installation of NFD on OpenShift.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          operand: Type.Optional(Operand),
          instance: OptionalText('Name of the installation.'),
          topologyUpdater: Type.Optional(Type.Boolean({ description: 'NUMA zones are reported too.' })),
          topologyupdater: Type.Optional(
            Type.Boolean({ description: 'The same, as OpenShift 4.10 and 4.11 spell it.' }),
          ),
          extraLabelNs: Names('Label namespaces that features may have beside their own.'),
          resourceLabels: Names('Labels that become extended resources.'),
          labelWhiteList: OptionalText('Expression for labels.', 4096),
          workerConfig: Type.Optional(Configuration('nfd-worker.conf.')),
          customConfig: Type.Optional(Nullable(Configuration('Rules, until OpenShift 4.11.'))),
          prunerOnDelete: Type.Optional(Type.Boolean({ description: 'Labels go with the installation.' })),
          enableTaints: Type.Optional(Type.Boolean({ description: 'Rules may taint nodes.' })),
        },
        { description: 'What is installed.' },
      ),
    ),
    status: Type.Optional(Type.Object({ conditions: OperatorConditions }, { description: 'Written by the operator.' })),
  }),
  columns: [
    { name: 'Available', type: 'string', jsonPath: '.status.conditions[?(@.type=="Available")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type NodeFeatureDiscovery = NonNullable<(typeof nodeFeatureDiscovery)['type']>;
