export * from './cluster-inventory.ts';
export * from './core.ts';
export type { Crd, CrdDefinition, PrinterColumn } from './crd.ts';
export { crds } from './crds.ts';
export { explain, HubError, MissingToolError, type Retry, UsageError } from './errors.ts';
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
export * from './managed-cluster-module.ts';
export * from './manifest-work.ts';
export * from './module.ts';
export * from './module-image.ts';
export * from './names.ts';
export * from './node-feature.ts';
export * from './node-modules-config.ts';
export * from './node-resource-topology.ts';
export type { LabelSelector, LocalObjectReference, Toleration } from './schema.ts';
