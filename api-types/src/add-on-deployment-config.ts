import { Type } from 'typebox';
import { ADD_ON_GROUP, ADD_ON_NAMESPACE } from './add-on-config.ts';
import { CoreType } from './core-schema/core-type.ts';
import { defineCrd } from './crd.ts';
import { DNS_LABEL } from './patterns.ts';
import { mapBy, StringMap, Text } from './schema.ts';
import { Toleration } from './toleration.ts';

/** addon.open-cluster-management.io; OCM owns this kind. v1beta1 has the same schema. */
export const addOnDeploymentConfig = defineCrd({
  group: ADD_ON_GROUP,
  version: 'v1alpha1',
  otherVersions: [{ version: 'v1beta1' }],
  kind: 'AddOnDeploymentConfig',
  plural: 'addondeploymentconfigs',
  scope: 'Namespaced',
  description: 'How the agents of add-ons are deployed on clusters.',
  properties: Type.Object({
    spec: Type.Object(
      {
        agentInstallNamespace: Type.Optional(
          Type.String({
            default: ADD_ON_NAMESPACE,
            maxLength: 63,
            pattern: `^(${DNS_LABEL})?$`,
            description: 'Namespace of the agent; empty: that of the template.',
          }),
        ),
        customizedVariables: Type.Optional(
          Type.Array(
            Type.Object({
              name: Type.String({ maxLength: 255, pattern: '^[a-zA-Z_][_a-zA-Z0-9]*$', description: 'Name.' }),
              value: Type.Optional(Text('Its value.', 1024)),
            }),
            { maxItems: 1024, ...mapBy('name'), description: 'Variables of the template, as in {{NAME}}.' },
          ),
        ),
        nodePlacement: Type.Optional(
          Type.Object(
            {
              nodeSelector: Type.Optional(StringMap({ description: 'Labels of the nodes.' })),
              tolerations: Type.Optional(
                Type.Array(Toleration, { maxItems: 256, description: 'Taints that do not keep the agent away.' }),
              ),
            },
            { description: 'Where the agent runs.' },
          ),
        ),
        registries: Type.Optional(
          Type.Array(
            Type.Object({
              source: Type.Optional(Text('Registry or repository; empty: every one.', 512)),
              mirror: Text('What stands in its place.', 512),
            }),
            { maxItems: 256, description: 'Where images come from instead.' },
          ),
        ),
        proxyConfig: Type.Optional(
          Type.Object(
            {
              httpProxy: Type.Optional(Text('Proxy for HTTP.', 2048)),
              httpsProxy: Type.Optional(Text('Proxy for HTTPS.', 2048)),
              noProxy: Type.Optional(Text('Hosts and networks that need none, with commas.', 65_536)),
              caBundle: Type.Optional(Type.String({ format: 'byte', description: 'CA of the proxy.' })),
            },
            { description: 'Proxy of the agent.' },
          ),
        ),
        resourceRequirements: Type.Optional(
          Type.Array(
            Type.Object({
              containerID: Type.String({
                maxLength: 1024,
                pattern: '^(deployments|daemonsets|statefulsets|replicasets|jobs|cronjobs|pods|\\*):.+:.+$',
                description: 'kind:name:container, each of which may be *.',
              }),
              resources: CoreType('ResourceRequirements', {
                description: 'What these containers ask for and may use.',
              }),
            }),
            { maxItems: 256, ...mapBy('containerID'), description: 'Resources; the last entry that matches wins.' },
          ),
        ),
      },
      { description: 'What is configured.' },
    ),
  }),
  columns: [
    { name: 'Namespace Of Agent', type: 'string', jsonPath: '.spec.agentInstallNamespace' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type AddOnDeploymentConfig = NonNullable<(typeof addOnDeploymentConfig)['type']>;
