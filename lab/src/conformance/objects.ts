import { createHash } from 'node:crypto';
import type { Condition, KubeObject, ManifestConfig, ManifestStatus, ManifestWork, Resource } from '@kmm-hub/api-types';

export type Manifest = KubeObject & Record<string, unknown>;

/** All custom kinds of the judge are of this group; an agent needs a role for it as for any add-on's. */
export const GROUP = 'conformance.example';

export const MANIFEST_WORK_FINALIZER = 'cluster.open-cluster-management.io/manifest-work-cleanup';
export const APPLIED_WORK_FINALIZER = 'cluster.open-cluster-management.io/applied-manifest-work-cleanup';

/** OCM's rule: sha256 of the hub's URL as the agent's kubeconfig has it. */
export function hubHash(hubUrl: string): string {
  return createHash('sha256').update(hubUrl).digest('hex');
}

export function appliedWorkName(hubUrl: string, work: string): string {
  return `${hubHash(hubUrl)}-${work}`;
}

export function configMapManifest(
  namespace: string,
  name: string,
  data: Record<string, string> = { a: '1' },
): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

export function namespaceManifest(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A manifestConfig for one ConfigMap. */
export function configMapConfig(namespace: string, name: string, config: Omit<ManifestConfig, 'resourceIdentifier'>) {
  return { resourceIdentifier: { group: '', resource: 'configmaps', name, namespace }, ...config };
}

/** A custom kind with a status subresource; any field is taken. */
export function customKind(kind: string) {
  const plural = `${kind.toLowerCase()}s`;
  const resource: Resource<Manifest> = { group: GROUP, version: 'v1', kind, plural, namespaced: true };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const version = { name: 'v1', served: true, storage: true, subresources: { status: {} }, schema };
  const crd: Manifest = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: { group: GROUP, scope: 'Namespaced', names: { kind, plural }, versions: [version] },
  };
  const manifest = (namespace: string, name: string, more: object = {}): Manifest => ({
    ...{ apiVersion: `${GROUP}/v1`, kind, metadata: { name, namespace } },
    ...more,
  });
  return { resource, crd, manifest };
}

export const crdResource: Resource<Manifest> = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
  ...{ plural: 'customresourcedefinitions', namespaced: false },
};

type Conditions = readonly Condition[] | undefined;

/** Conditions of these types as `Type: "Status Reason"`; a missing one is left out. */
export function told(conditions: Conditions, ...types: string[]): Record<string, string> {
  const wanted = (conditions ?? []).filter(({ type }) => types.includes(type));
  return Object.fromEntries(wanted.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

export function conditionIn(conditions: Conditions, wanted: string): Condition | undefined {
  return conditions?.find(({ type }) => type === wanted);
}

export const workTold = (work: ManifestWork | undefined, ...types: string[]) =>
  told(work?.status?.conditions, ...types);

export const manifestsOf = (work: ManifestWork | undefined): ManifestStatus[] =>
  work?.status?.resourceStatus?.manifests ?? [];

export const manifestTold = (work: ManifestWork | undefined, index: number, ...types: string[]) =>
  told(manifestsOf(work)[index]?.conditions, ...types);

/** The generation that the work's Applied speaks of. */
export const appliedGeneration = (work: ManifestWork | undefined) =>
  conditionIn(work?.status?.conditions, 'Applied')?.observedGeneration;

/** Feedback of one manifest by name; integers, strings and booleans as they are. */
export function fedBack(work: ManifestWork | undefined, index = 0): Record<string, unknown> {
  const values = manifestsOf(work)[index]?.statusFeedback?.values ?? [];
  return Object.fromEntries(
    values.map(({ name, fieldValue: { integer, string, boolean } }) => [name, integer ?? string ?? boolean]),
  );
}

export const ownerNames = (object: KubeObject | undefined) =>
  (object?.metadata.ownerReferences ?? []).map(({ name }) => name);

export const WORK_APPLIED = { Applied: 'True AppliedManifestWorkComplete' };
export const WORK_GOOD = { ...WORK_APPLIED, Available: 'True ResourcesAvailable' };
export const MANIFEST_APPLIED = { Applied: 'True AppliedManifestComplete' };
export const MANIFEST_FAILED = { Applied: 'False AppliedManifestFailed' };
