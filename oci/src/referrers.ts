import type { Access } from './authorizer.ts';
import { defaults } from './defaults.ts';
import { digestOf, requireDigest } from './digest.ts';
import { ImageRefusedError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { discard, type HttpResponse, headerOf, readBounded } from './http-exchange.ts';
import { mediaTypes, parseDescriptors, parseManifest, type Referrer } from './manifest.ts';
import { parseReference, type Repository } from './reference.ts';
import type { Transport } from './transport.ts';

/**
 * What is attached to an image (distribution spec 1.1, "Listing Referrers"): signatures, attestations, lists of contents.
 * Registries without that API get the spec's fallback, an index under a tag made of the image's digest.
 */
export type Referrers = {
  /** Those of one artifact type, or all; none is an empty list. `reference` holds the digest of the image. */
  listReferrers(reference: string, filter: { artifactType?: string }, signal: AbortSignal): Promise<Referrer[]>;
  /** Pushes a manifest whose `subject` says what it belongs to; returns its digest. Its blobs are there already. */
  putReferrer(repository: string, body: Buffer, signal: AbortSignal): Promise<string>;
};

/** The reading and writing of one fallback tag is no transaction: others may write in between. */
const FALLBACK_TRIES = 5;
const MAX_PAGES = 20;
const INDEX = { accept: mediaTypes.ociIndex };

type Place = { repository: Repository; signal: AbortSignal };
type Attached = { subject: string; descriptor: Referrer };

export function createReferrers(transport: Transport): Referrers {
  return {
    async listReferrers(reference, { artifactType }, signal) {
      const { host, path, digest = '' } = parseReference(reference);
      const place = { repository: { host, path }, signal };
      const listed = await listByApi(transport, place, requireDigest(digest));
      const all = listed ?? (await readFallback(transport, place, digest));
      return all.filter((each) => artifactType === undefined || each.artifactType === artifactType);
    },
    async putReferrer(repository, body, signal) {
      const { host, path } = parseReference(repository);
      const place = { repository: { host, path }, signal };
      const attached = readAttached(body);
      const response = await put(transport, place, {
        name: attached.descriptor.digest,
        type: attached.descriptor.mediaType,
        body,
      });
      // The header means that the registry lists it by itself; without it the pusher keeps the list.
      if (headerOf(response, 'oci-subject') === undefined) await addToFallback(transport, place, attached);
      return attached.descriptor.digest;
    },
  };
}

/** undefined where there is no such API. Pages are followed within this repository only. */
async function listByApi(transport: Transport, place: Place, digest: string): Promise<Referrer[] | undefined> {
  const base = transport.baseUrl(place.repository);
  const found: Referrer[] = [];
  let url: URL | null = new URL(`referrers/${digest}`, base);
  for (let page = 0; url !== null; page += 1) {
    if (page === MAX_PAGES || !url.href.startsWith(base.href)) {
      throw new RegistryRefusedError(`the list of referrers of ${digest} does not end`);
    }
    const answer = await getIndex(transport, place, url);
    if (answer === undefined) return page === 0 ? undefined : found;
    found.push(...answer.manifests);
    const next = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(headerOf(answer.response, 'link') ?? '')?.[1];
    url = next === undefined ? null : URL.parse(next, url.href);
  }
  return found;
}

async function readFallback(transport: Transport, place: Place, digest: string): Promise<Referrer[]> {
  const url = new URL(`manifests/${fallbackTag(digest)}`, transport.baseUrl(place.repository));
  return (await getIndex(transport, place, url))?.manifests ?? [];
}

/** `sha256:ab…` → `sha256-ab…` (distribution spec, "Referrers Tag Schema"). */
function fallbackTag(digest: string): string {
  return digest.replace(':', '-');
}

async function getIndex(transport: Transport, { repository, signal }: Place, url: URL) {
  const access: Access = { repository, action: 'pull' };
  const request = { method: 'GET', url, access, what: `referrers at ${url.pathname}`, headers: INDEX, signal } as const;
  const response = await transport.find(request);
  if (response === undefined) return undefined;
  return { response, manifests: parseDescriptors(await readBounded(response, request, defaults.maxManifestBytes)) };
}

/** Written, then read again: an entry that somebody's concurrent write took away is added once more. */
async function addToFallback(transport: Transport, place: Place, { subject, descriptor }: Attached): Promise<void> {
  for (let attempt = 0; attempt < FALLBACK_TRIES; attempt += 1) {
    const manifests = await readFallback(transport, place, subject);
    if (manifests.some(({ digest }) => digest === descriptor.digest)) return;
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...manifests, descriptor] };
    const body = Buffer.from(JSON.stringify(index));
    await put(transport, place, { name: fallbackTag(subject), type: mediaTypes.ociIndex, body });
  }
  const listed = await readFallback(transport, place, subject);
  if (listed.some(({ digest }) => digest === descriptor.digest)) return;
  throw new RegistryUnreachableError(`others keep changing the list of referrers of ${subject}`);
}

type ToPut = { name: string; type: string; body: Buffer };

async function put(
  transport: Transport,
  { repository, signal }: Place,
  { name, type, body }: ToPut,
): Promise<HttpResponse> {
  const url = new URL(`manifests/${name}`, transport.baseUrl(repository));
  const access: Access = { repository, action: 'push' };
  const what = `${repository.host}/${repository.path} ${name}`;
  const headers = { 'content-type': type };
  const request = { method: 'PUT', url, access, what, headers, body: () => body, signal } as const;
  const response = await transport.send(request);
  await discard(response, request);
  return response;
}

/** What the list says of a manifest: its artifact type is that of its config when it has none (image spec, index). */
function readAttached(body: Buffer): Attached {
  const { mediaType = mediaTypes.ociManifest, config, subject, annotations, ...manifest } = parseManifest(body);
  if (subject === undefined) throw new ImageRefusedError('the manifest has no subject, so it belongs to no image');
  const artifactType = manifest.artifactType ?? config.mediaType;
  const descriptor: Referrer = {
    mediaType,
    digest: digestOf(body),
    size: body.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
  return { subject: requireDigest(subject.digest), descriptor };
}
