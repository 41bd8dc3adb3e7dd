export { type AddOnDeploymentConfig, addOnDeploymentConfig } from './add-on-deployment-config.ts';
export { type AddOnPlacementScore, addOnPlacementScore } from './add-on-placement-score.ts';
export { type AddOnTemplate, addOnTemplate } from './add-on-template.ts';
export * from './applied-manifest-work.ts';
export { Build, BuildArg, Sign, TlsOptions } from './build-sign.ts';
export * from './cluster-inventory.ts';
export { type ClusterManagementAddOn, clusterManagementAddOn } from './cluster-management-add-on.ts';
export * from './core.ts';
export type { EnvVar, ResourceRequirements, Volume, VolumeMount } from './core-schema/core-type.ts';
export type { Crd, CrdDefinition, PrinterColumn } from './crd.ts';
export { crds } from './crds.ts';
export { DevicePlugin, Dra } from './device-plugin.ts';
export { explain, HubError, MissingToolError, type Retry, UsageError } from './errors.ts';
export { KernelMapping } from './kernel-mapping.ts';
export {
  apiVersionOf,
  type Condition,
  type KubeObject,
  keyOf,
  type ObjectMeta,
  type OwnerReference,
  type Resource,
} from './kube-object.ts';
export * from './managed-cluster.ts';
export { type ManagedClusterAddOn, managedClusterAddOn } from './managed-cluster-add-on.ts';
export * from './managed-cluster-module.ts';
export * from './managed-cluster-set.ts';
export {
  FeedbackValue,
  ManifestConfig,
  ManifestStatus,
  type ManifestWork,
  ManifestWorkSpec,
  manifestWork,
  ResourceIdentifier,
  UpdateStrategy,
} from './manifest-work.ts';
export { type ManifestWorkReplicaSet, manifestWorkReplicaSet } from './manifest-work-replica-set.ts';
export { Modprobe } from './modprobe.ts';
export * from './module.ts';
export * from './module-image.ts';
export * from './names.ts';
export * from './node-feature.ts';
export * from './node-feature-rule.ts';
export * from './node-modules-config.ts';
export * from './node-resource-topology.ts';
export { DNS_SUBDOMAIN, LABEL_NAME } from './patterns.ts';
export * from './placement.ts';
export { type PreflightModuleStatus, type PreflightValidation, preflightValidation } from './preflight-validation.ts';
export type { RolloutStrategy } from './rollout-strategy.ts';
export type { LabelSelector, LocalObjectReference } from './schema.ts';
export type { Toleration } from './toleration.ts';
