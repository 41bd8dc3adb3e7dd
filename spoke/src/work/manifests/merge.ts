import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, OwnerReference } from '@kmm-hub/api-types';
import type { Manifest } from './manifest.ts';

/** What is sent to make an object that is not there: of the metadata only what an author may set. */
export function objectToCreate(manifest: Manifest, owners: readonly OwnerReference[]): KubeObject {
  const { name, namespace, labels, annotations, finalizers } = manifest.metadata;
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
    ...(owners.length > 0 && { ownerReferences: [...owners] }),
  };
  return { ...contentOf(manifest), metadata };
}

/**
 * The object to PUT so that the live one is as the manifest says, or `undefined` when it already is (OCM's strategy Update).
 * Labels and annotations are added to and never taken away; finalizers stay; everything but metadata and status is the
 * manifest's, so what was added there on the spoke goes.
 */
export function mergeForUpdate(
  live: KubeObject,
  manifest: Manifest,
  owners: readonly OwnerReference[],
): KubeObject | undefined {
  const { managedFields: _, ...liveMetadata } = live.metadata;
  const metadata = {
    ...liveMetadata,
    labels: { ...liveMetadata.labels, ...manifest.metadata.labels },
    annotations: { ...liveMetadata.annotations, ...manifest.metadata.annotations },
    ownerReferences: [...owners],
  };
  const content = contentOf(manifest);
  const same =
    isDeepStrictEqual(withoutNulls(content), withoutNulls(contentOf(live))) &&
    contains(live.metadata.labels, manifest.metadata.labels) &&
    contains(live.metadata.annotations, manifest.metadata.annotations) &&
    isDeepStrictEqual(owners, live.metadata.ownerReferences ?? []);
  return same ? undefined : { ...content, metadata };
}

/** What server-side apply is given: status and what the server keeps for itself would be refused or taken over. */
export function objectToApply(manifest: Manifest): KubeObject {
  return objectToCreate(manifest, manifest.metadata.ownerReferences ?? []);
}

/** Everything but metadata and status: another one writes the status, also where it is no subresource. */
function contentOf(object: KubeObject): Omit<KubeObject, 'metadata'> {
  const { metadata: _metadata, status: _status, ...content } = object as KubeObject & { status?: unknown };
  return content;
}

function contains(live: Record<string, string> = {}, wanted: Record<string, string> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => live[key] === value);
}

/** Null says the same as no field. An empty map does not: an empty selector selects all, a missing one none. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
