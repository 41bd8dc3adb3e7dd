import {
  type AppliedManifestWork,
  apiVersionOf,
  appliedManifestWork,
  type ManifestWorkSpec,
  type OwnerReference,
  type ResourceIdentifier,
} from '@kmm-hub/api-types';

/** The reference that every applied object gets. Not a controller: several works may own one object. */
export function ownerOf(applied: AppliedManifestWork): OwnerReference {
  const { name, uid = '' } = applied.metadata;
  return { apiVersion: apiVersionOf(appliedManifestWork), kind: appliedManifestWork.kind, name, uid };
}

/** Whether the object goes away with the work. An orphaning rule matches exactly, without wildcards. */
export function isOwned(
  deleteOption: ManifestWorkSpec['deleteOption'],
  identifier: Required<ResourceIdentifier>,
): boolean {
  if (deleteOption?.propagationPolicy === 'Orphan') return false;
  if (deleteOption?.propagationPolicy !== 'SelectivelyOrphan') return true;
  const rules = deleteOption.selectivelyOrphans?.orphaningRules ?? [];
  return !rules.some(
    ({ group = '', resource, name, namespace = '' }) =>
      group === identifier.group &&
      resource === identifier.resource &&
      name === identifier.name &&
      namespace === identifier.namespace,
  );
}

/** The live references with the work's own one in or out; the same list when nothing changes. */
export function withOwnership(
  live: readonly OwnerReference[] | undefined,
  { owner, owned }: { owner: OwnerReference; owned: boolean },
): readonly OwnerReference[] {
  const references = live ?? [];
  const present = references.some(({ uid }) => uid === owner.uid);
  if (present === owned) return references;
  return owned ? [...references, owner] : references.filter(({ uid }) => uid !== owner.uid);
}
