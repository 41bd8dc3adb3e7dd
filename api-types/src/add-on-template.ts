import { Type } from 'typebox';
import { ADD_ON_GROUP, certificateRequest } from './add-on-config.ts';
import { defineCrd } from './crd.ts';
import { ManifestWorkSpec } from './manifest-work.ts';
import { StringEnum, Text } from './schema.ts';

const HubPermission = Type.Object({
  type: StringEnum(['CurrentCluster', 'SingleNamespace'], { description: 'In which namespaces.' }),
  currentCluster: Type.Optional(
    Type.Object(
      { clusterRoleName: Text('ClusterRole, bound in the namespace of each cluster.') },
      { description: 'For CurrentCluster.' },
    ),
  ),
  singleNamespace: Type.Optional(
    Type.Object(
      {
        namespace: Text('The namespace.', 63),
        roleRef: Type.Object(
          {
            apiGroup: Text('rbac.authorization.k8s.io.'),
            kind: Text('Role or ClusterRole.', 63),
            name: Text('Its name.'),
          },
          { description: 'Role that is bound there.' },
        ),
      },
      { description: 'For SingleNamespace.' },
    ),
  ),
});

const Registration = Type.Object({
  type: StringEnum(['KubeClient', 'CustomSigner'], { description: 'Access to the hub, or a certificate of a signer.' }),
  kubeClient: Type.Optional(
    Type.Object(
      {
        hubPermissions: Type.Optional(
          Type.Array(HubPermission, { maxItems: 64, description: 'What the agent may do on the hub.' }),
        ),
      },
      { description: 'For KubeClient.' },
    ),
  ),
  customSigner: Type.Optional(
    Type.Object(
      {
        ...certificateRequest,
        signingCA: Type.Object(
          {
            name: Text('Name of the Secret.'),
            namespace: Type.Optional(Text("Its namespace; absent: OCM's own.", 63)),
          },
          { description: 'Secret of type kubernetes.io/tls with the CA that signs.' },
        ),
      },
      { description: 'For CustomSigner.' },
    ),
  ),
});

/** addon.open-cluster-management.io; OCM owns this kind. v1beta1 has the same schema. */
export const addOnTemplate = defineCrd({
  group: ADD_ON_GROUP,
  version: 'v1alpha1',
  otherVersions: [{ version: 'v1beta1' }],
  kind: 'AddOnTemplate',
  plural: 'addontemplates',
  scope: 'Cluster',
  description: 'The objects of an add-on, and how its agent registers; one for each of its versions.',
  properties: Type.Object({
    spec: Type.Object(
      {
        addonName: Text('Name of the ClusterManagementAddOn.'),
        agentSpec: Type.Object(ManifestWorkSpec.properties, {
          description: 'Spec of the work of each cluster; deleteOption and executor are not used by OCM.',
        }),
        registration: Type.Optional(
          Type.Array(Registration, { maxItems: 64, description: 'Identities that the agent gets.' }),
        ),
      },
      { description: 'What is installed.' },
    ),
  }),
  columns: [
    { name: 'ADDON NAME', type: 'string', jsonPath: '.spec.addonName' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type AddOnTemplate = NonNullable<(typeof addOnTemplate)['type']>;
