import { apiVersionOf, explain, HubError, type KubeObject, type ManifestWork, type Resource } from '@kmm-hub/api-types';
import { type Discovery, type KubeClient, UnreachableError } from '@kmm-hub/kube';
import { InvalidManifestError, UnknownKindError } from '../../manifests/errors.ts';
import { identifierOf, type Manifest, metaOf, parseManifest, type ResourceMeta } from '../../manifests/manifest.ts';
import { type EffectiveConfig, effectiveConfig } from '../../manifests/manifest-config.ts';

/** One manifest and where its object is served; `failure` when that cannot be told. */
export type Target = { ordinal: number; meta: ResourceMeta } & (
  | { failure: HubError }
  | { failure?: never; manifest: Manifest; resource: Resource; config: EffectiveConfig }
);
export type ResolvedTarget = Exclude<Target, { failure: HubError }>;

/** What a look at the spoke showed of one object. */
export type Sighting =
  | { seen: 'present'; live: KubeObject }
  | { seen: 'missing' | 'unresolved' }
  | { seen: 'failed'; failure: HubError };

/** All manifests of a work, in the order of its spec. @throws UnreachableError: then nothing is known of any of them. */
export async function resolveTargets(discovery: Discovery, work: ManifestWork, signal: AbortSignal): Promise<Target[]> {
  const targets: Target[] = [];
  for (const [ordinal, raw] of (work.spec.workload?.manifests ?? []).entries()) {
    targets.push(await resolveTarget({ discovery, work }, { ordinal, raw }, signal));
  }
  return targets;
}

async function resolveTarget(
  { discovery, work }: { discovery: Discovery; work: ManifestWork },
  { ordinal, raw }: { ordinal: number; raw: KubeObject },
  signal: AbortSignal,
): Promise<Target> {
  try {
    const manifest = parseManifest(raw);
    const resource = await discovery.find(manifest, signal);
    if (resource === undefined) throw new UnknownKindError(manifest.apiVersion, manifest.kind);
    if (resource.namespaced && !manifest.metadata.namespace) {
      throw new InvalidManifestError(`${manifest.kind} ${manifest.metadata.name} has no metadata.namespace`);
    }
    const config = effectiveConfig(work.spec.manifestConfigs, identifierOf(manifest, resource));
    return { ordinal, meta: metaOf(ordinal, raw, resource), manifest, resource, config };
  } catch (err) {
    return { ordinal, meta: metaOf(ordinal, raw, undefined), failure: expectedFailure(err) };
  }
}

/**
 * What a pass that only looks has to look at: what the status names, which is what was applied, also when the spec has gone on
 * (OCM). What could not be resolved then is not resolved now.
 */
export function targetsOfStatus(work: ManifestWork): Target[] {
  const manifests = work.status?.resourceStatus?.manifests ?? [];
  return manifests.map(({ resourceMeta: meta }) => {
    const { ordinal, group = '', version = '', kind = '', resource: plural = '', name = '', namespace = '' } = meta;
    const apiVersion = apiVersionOf({ group, version });
    if (!(version && plural && name)) return { ordinal, meta, failure: new UnknownKindError(apiVersion, kind) };
    const resource = { group, version, kind, plural, namespaced: namespace !== '' };
    const manifest = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
    const config = effectiveConfig(work.spec.manifestConfigs, identifierOf(manifest, resource));
    return { ordinal, meta, manifest, resource, config };
  });
}

/** Looks at the object of one manifest. @throws UnreachableError */
export async function look(spoke: KubeClient, target: Target, signal: AbortSignal): Promise<Sighting> {
  if (target.failure !== undefined) return { seen: 'unresolved' };
  try {
    const live = await spoke.getIfPresent(target.resource, target.manifest.metadata, signal);
    return live === undefined ? { seen: 'missing' } : { seen: 'present', live };
  } catch (err) {
    return { seen: 'failed', failure: expectedFailure(err) };
  }
}

/**
 * What concerns one manifest alone is its failure; a spoke that does not answer, a stop, or a mistake of ours ends the pass.
 */
export function expectedFailure(err: unknown): HubError {
  if (err instanceof HubError && !(err instanceof UnreachableError)) return err;
  throw err instanceof Error ? err : new Error(explain(err), { cause: err });
}
