import type { Access } from './authorizer.ts';
import type { createBlobStore } from './blobs.ts';
import { defaults } from './defaults.ts';
import { digestOf, isDigest, requireDigest } from './digest.ts';
import { DigestMismatchError, ImageRefusedError } from './errors.ts';
import { discard, type HttpRequest, type HttpResponse, headerOf, readBounded } from './http-exchange.ts';
import {
  choosePlatform,
  type ImageConfig,
  type ImageManifest,
  isIndex,
  isManifestType,
  mediaTypeOf,
  mediaTypes,
  type Platform,
  parseConfig,
  parseManifest,
} from './manifest.ts';
import { formatReference, type ImageReference, parseReference } from './reference.ts';
import type { Transport } from './transport.ts';

export type ResolvedImage = { digest: string; mediaType: string; sizeBytes: number };

/**
 * `digest` is that of the image's own manifest, `indexDigest` that of the index it was found through. `repository` is
 * where it came from, `body` the exact bytes behind the digest.
 */
export type PulledManifest = {
  repository: string;
  digest: string;
  indexDigest: string | undefined;
  mediaType: string;
  body: Buffer;
  manifest: ImageManifest;
};

export type ManifestToPut = { body: Buffer; mediaType: string; tag?: string | undefined };

type Stores = { transport: Transport; blobs: ReturnType<typeof createBlobStore>; platform: Platform };
type Fetched = { digest: string; mediaType: string; body: Buffer };

const { ociManifest, ociIndex, dockerManifest, dockerIndex } = mediaTypes;
const ACCEPT = { accept: [ociManifest, ociIndex, dockerManifest, dockerIndex].join(', ') };

/** The manifest half of the distribution protocol; see RegistryClient. */
export function createManifestStore(stores: Stores) {
  return { ...createManifestReader(stores), ...createManifestWriter(stores.transport) };
}

function createManifestReader({ transport, blobs, platform }: Stores) {
  async function fetchManifest(reference: ImageReference, signal: AbortSignal): Promise<Fetched> {
    const request = { ...manifestRequest(transport, reference, 'pull'), method: 'GET' as const, signal };
    return transport.repeat(async () => readManifest(await transport.sendOnce(request), request, reference), signal);
  }

  return {
    async resolve(text: string, signal: AbortSignal): Promise<ResolvedImage | undefined> {
      const reference = parseReference(text);
      const request = { ...manifestRequest(transport, reference, 'pull'), method: 'HEAD' as const, signal };
      const head = await transport.find(request);
      if (head === undefined) return undefined;
      await discard(head, request);
      const found = readHead(head, reference);
      if (found !== undefined) return found;
      const { digest, mediaType, body } = await fetchManifest(reference, signal);
      return { digest, mediaType, sizeBytes: body.length };
    },

    async getManifest(text: string, signal: AbortSignal): Promise<PulledManifest> {
      const reference = parseReference(text);
      const { host, path } = reference;
      const first = await fetchManifest(reference, signal);
      const viaIndex = isIndex(first.mediaType);
      const chosen = viaIndex ? { host, path, digest: choosePlatform(first.body, platform).digest } : undefined;
      const image = chosen === undefined ? first : await fetchManifest(chosen, signal);
      const indexDigest = viaIndex ? first.digest : undefined;
      return {
        ...image,
        repository: formatReference({ host, path }),
        indexDigest,
        manifest: parseManifest(image.body),
      };
    },

    async getConfig(repository: string, manifest: ImageManifest, signal: AbortSignal): Promise<ImageConfig> {
      const { config, layers } = manifest;
      if (config.size > defaults.maxManifestBytes) throw new ImageRefusedError('the image config is too large');
      const blob = await blobs.openBlob(repository, config, signal);
      return parseConfig(Buffer.concat(await blob.toArray({ signal })), layers.length);
    },
  };
}

function createManifestWriter(transport: Transport) {
  return {
    async putManifest(
      repository: string,
      { body, mediaType, tag }: ManifestToPut,
      signal: AbortSignal,
    ): Promise<string> {
      const digest = digestOf(body);
      const { host, path } = parseReference(repository);
      const target = manifestRequest(
        transport,
        tag === undefined ? { host, path, digest } : { host, path, tag },
        'push',
      );
      const headers = { 'content-type': mediaType };
      const request = { ...target, headers, body: () => body, method: 'PUT' as const, signal };
      const response = await transport.send(request);
      await discard(response, request);
      const stored = headerOf(response, 'docker-content-digest');
      if (stored !== undefined && stored !== digest) {
        throw new DigestMismatchError(`${target.what} was stored as ${stored.slice(0, 80)} instead of ${digest}`);
      }
      return digest;
    },

    async deleteManifest(text: string, signal: AbortSignal): Promise<boolean> {
      const { host, path, digest = '' } = parseReference(text);
      const target = { host, path, digest: requireDigest(digest) }; // by tag would delete what somebody else tagged since
      const request = { ...manifestRequest(transport, target, 'delete'), method: 'DELETE' as const, signal };
      const response = await transport.find(request);
      if (response !== undefined) await discard(response, request);
      return response !== undefined;
    },
  };
}

function manifestRequest(transport: Transport, reference: ImageReference, action: Access['action']) {
  const name = reference.digest ?? reference.tag ?? 'latest';
  const url = new URL(`manifests/${name}`, transport.baseUrl(reference));
  return { url, access: { repository: reference, action }, what: formatReference(reference), headers: ACCEPT };
}

/** HEAD carries digest, type and size at most registries; undefined when one is missing or makes no sense. */
function readHead(head: HttpResponse, reference: ImageReference): ResolvedImage | undefined {
  const digest = headerOf(head, 'docker-content-digest');
  const mediaType = headerOf(head, 'content-type')?.split(';', 1)[0]?.trim();
  const sizeBytes = Number(headerOf(head, 'content-length') ?? Number.NaN);
  if (digest === undefined || !isDigest(digest) || mediaType === undefined || !isManifestType(mediaType)) {
    return undefined;
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return undefined;
  requireSame(reference, digest);
  return { digest, mediaType, sizeBytes };
}

async function readManifest(response: HttpResponse, request: HttpRequest, reference: ImageReference): Promise<Fetched> {
  const body = await readBounded(response, request, defaults.maxManifestBytes);
  const digest = digestOf(body); // never what the header says: a digest is worth only what we computed ourselves
  requireSame(reference, digest);
  return { digest, mediaType: mediaTypeOf(body, headerOf(response, 'content-type') ?? ''), body };
}

function requireSame(reference: ImageReference, digest: string): void {
  if (reference.digest === undefined || reference.digest === digest) return;
  throw new DigestMismatchError(`${formatReference(reference)} arrived as ${digest}`);
}
