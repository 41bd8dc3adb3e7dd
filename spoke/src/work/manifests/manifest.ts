import type { KubeObject, ManifestStatus, Resource, ResourceIdentifier } from '@kmm-hub/api-types';
import { InvalidManifestError } from './errors.ts';

/** One object of a work, as the work has it. */
export type Manifest = KubeObject & { apiVersion: string; kind: string } & Record<string, unknown>;
export type ResourceMeta = ManifestStatus['resourceMeta'];

/**
 * The manifest, known to have what every object must have.
 * @throws InvalidManifestError which names what is missing.
 */
export function parseManifest(raw: KubeObject): Manifest {
  const { apiVersion, kind } = raw;
  if (!(apiVersion && kind)) throw new InvalidManifestError('the manifest has no apiVersion or no kind');
  if (!raw.metadata?.name) throw new InvalidManifestError(`the ${kind} has no metadata.name`);
  return { ...raw, apiVersion, kind };
}

/** What the status says of a manifest; a field that is not known is left out. `ordinal` is its index in the spec. */
export function metaOf(ordinal: number, raw: KubeObject, resource: Resource | undefined): ResourceMeta {
  const [version = '', group = ''] = (raw.apiVersion ?? '').split('/').reverse();
  const { name = '', namespace = '' } = raw.metadata ?? {};
  const known = { group, version, kind: raw.kind ?? '', resource: resource?.plural ?? '', name, namespace };
  return { ordinal, ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== '')) };
}

/** How manifestConfigs and orphaning rules speak of a manifest. */
export function identifierOf(manifest: KubeObject, resource: Resource): Required<ResourceIdentifier> {
  const { name, namespace = '' } = manifest.metadata;
  return { group: resource.group, resource: resource.plural, name, namespace };
}
