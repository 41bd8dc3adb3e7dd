import type { Readable } from 'node:stream';
import { type BlobSource, createBlobStore } from './blobs.ts';
import type { Expected } from './digest.ts';
import type { ImageConfig, ImageManifest, Platform } from './manifest.ts';
import { createManifestStore, type ManifestToPut, type PulledManifest, type ResolvedImage } from './manifests.ts';
import { withMirrors } from './mirrored-reads.ts';
import { isInsecureHost, type MirrorRule } from './mirrors.ts';
import { createReferrers, type Referrers } from './referrers.ts';
import { createTransport, type TransportOptions } from './transport.ts';

export type RegistryClientOptions = TransportOptions & {
  /** Which variant of a multi-platform image is meant; default: linux on this process's architecture. */
  platform?: Platform | undefined;
  /** Where else to read images from (`readRegistriesConf`, `mirrorSetRules`). Pushes always go to the place named. */
  mirrors?: readonly MirrorRule[] | undefined;
};

/**
 * Talks the OCI distribution protocol with every registry a reference names. References and repositories are texts as a
 * person writes them (`quay.io/team/kmod:6.1`, `quay.io/team/kmod`). Every call ends by its signal or after `timeoutMs`
 * of silence, repeats itself on HTTP 429, 5xx and broken connections a few times, and throws only the errors of errors.ts
 * (or the signal's reason).
 */
export interface RegistryClient extends Referrers {
  /** The digest a tag stands for now; undefined when there is no such image. */
  resolve(reference: string, signal: AbortSignal): Promise<ResolvedImage | undefined>;
  /** The manifest of one image; an index is followed to this client's platform. */
  getManifest(reference: string, signal: AbortSignal): Promise<PulledManifest>;
  getConfig(repository: string, manifest: ImageManifest, signal: AbortSignal): Promise<ImageConfig>;
  /** The blob's bytes; the stream ends in DigestMismatchError when they are wrong, so use them only after its end. */
  openBlob(repository: string, blob: Expected, signal: AbortSignal): Promise<Readable>;
  hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean>;
  /** Does nothing when the repository has it; takes it over from `mountFrom` (same registry) when the registry can. */
  uploadBlob(repository: string, blob: BlobSource, signal: AbortSignal): Promise<void>;
  /** Returns the digest. Without `tag` the image is reachable by its digest alone. */
  putManifest(repository: string, manifest: ManifestToPut, signal: AbortSignal): Promise<string>;
  /** `reference` holds a digest; false when it was not there. */
  deleteManifest(reference: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** Holds connections: close it. Credentials are asked for per repository, so one client serves many users. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const { mirrors: rules = [], unverifiedHosts } = options;
  const isUnverified = (host: string) => unverifiedHosts?.(host) === true || isInsecureHost(host, rules);
  const transport = createTransport({ ...options, unverifiedHosts: isUnverified });
  const platform = options.platform ?? { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const blobs = createBlobStore(transport);
  const manifests = createManifestStore({ transport, blobs, platform });
  const direct = { ...blobs, ...manifests, ...createReferrers(transport), close: transport.close };
  return rules.length === 0 ? direct : { ...direct, ...withMirrors(direct, rules) };
}
