import { Type } from 'typebox';
import { defineCrd } from './crd.ts';

/** about.k8s.io/v1alpha1 of Kubernetes' SIG Multicluster, on the spoke; OCM can copy it to the hub as it does ClusterClaims. */
export const clusterProperty = defineCrd({
  group: 'about.k8s.io',
  version: 'v1alpha1',
  kind: 'ClusterProperty',
  plural: 'clusterproperties',
  scope: 'Cluster',
  annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/issues/2149' },
  description: 'One fact of this cluster.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        { value: Type.String({ minLength: 1, maxLength: 131_072, description: 'The fact.' }) },
        { description: 'The value.' },
      ),
    ),
    status: Type.Optional(Type.Object({}, { description: 'Empty.' })),
  }),
  columns: [
    { name: 'Value', type: 'string', jsonPath: '.spec.value' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ClusterProperty = NonNullable<(typeof clusterProperty)['type']>;
