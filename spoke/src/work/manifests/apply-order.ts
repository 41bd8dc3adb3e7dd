import type { KubeObject } from '@kmm-hub/api-types';

/** What others stand on comes first; by kind alone, whatever its group (OCM's table). */
const kindsByRank: readonly (readonly string[])[] = [
  ['PriorityClass', 'Namespace', 'CustomResourceDefinition', 'StorageClass', 'PersistentVolume', 'PodSecurityPolicy'],
  ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  ['NetworkPolicy', 'ResourceQuota', 'LimitRange', 'PodDisruptionBudget', 'ServiceAccount'],
  ['Secret', 'ConfigMap', 'PersistentVolumeClaim'],
  ['Service'],
  [
    ...['DaemonSet', 'Pod', 'ReplicationController', 'ReplicaSet', 'Deployment', 'HorizontalPodAutoscaler'],
    ...['StatefulSet', 'Job', 'CronJob'],
  ],
  [
    ...['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
    ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
  ],
];
const rankOfKind = new Map(kindsByRank.flatMap((kinds, rank) => kinds.map((kind) => [kind, rank] as const)));

/** Every other kind, custom resources with them. */
const OTHER_RANK = 1000;
const UNPARSEABLE_RANK = 1001;

function applyRank(manifest: KubeObject): number {
  if (!manifest.kind) return UNPARSEABLE_RANK;
  return rankOfKind.get(manifest.kind) ?? OTHER_RANK;
}

/** The indexes of the manifests in the order in which they are applied; equals keep the order of the spec. */
export function applyOrder(manifests: readonly KubeObject[]): number[] {
  return [...manifests.entries()].sort(([, a], [, b]) => applyRank(a) - applyRank(b)).map(([index]) => index);
}
