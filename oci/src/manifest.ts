import { isDigest } from './digest.ts';
import { ImageRefusedError } from './errors.ts';

/** Media types of the OCI image spec 1.1 and of Docker's image manifest version 2, schema 2. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

export type Platform = { os: string; architecture: string };

/** The wire form of a descriptor (OCI image spec, descriptor.md). `size` is in bytes. */
export type Descriptor = {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
};

/** An entry of a list of referrers (distribution spec 1.1): what kind of thing is attached. */
export type Referrer = Descriptor & { artifactType?: string };

/** One image: OCI manifest or Docker schema 2, which have the same fields. */
export type ImageManifest = {
  schemaVersion: 2;
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
  /** What kind of thing it is when it is no image to run. */
  artifactType?: string;
  /** The image it belongs to; see Referrers. */
  subject?: Descriptor;
  annotations?: Record<string, string>;
};

/** The image config as far as we touch it; every other field is carried over untouched. */
export type ImageConfig = {
  os: string;
  architecture: string;
  rootfs: { type: 'layers'; diff_ids: string[] };
  history?: { created?: string; created_by?: string; comment?: string; empty_layer?: boolean }[];
  [field: string]: unknown;
};

const MAX_LAYERS = 512;

export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
}

/** True for what may stand behind a tag: an image manifest or an index, OCI or Docker. */
export function isManifestType(mediaType: string): boolean {
  return isIndex(mediaType) || mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

/**
 * The media type a manifest says of itself, else the one it was served with. Throws ImageRefusedError when it is not JSON,
 * and when it could be read as an image and as an index, by what it holds or by what it is called: two programs must never
 * see two things behind one digest (CVE-2021-41190).
 */
export function mediaTypeOf(body: Buffer, servedAs: string): string {
  const { mediaType, layers, manifests } = parseObject(body, 'the manifest');
  const served = (servedAs.split(';', 1)[0] ?? '').trim();
  const differ = typeof mediaType === 'string' && isManifestType(served) && served !== mediaType;
  if (differ || (layers !== undefined && manifests !== undefined)) {
    throw new ImageRefusedError('the manifest does not say clearly whether it is an image or an index');
  }
  return typeof mediaType === 'string' ? mediaType : served;
}

/** Throws ImageRefusedError for what is no image manifest, e.g. Docker's old schema 1. */
export function parseManifest(body: Buffer): ImageManifest {
  const manifest = parseObject(body, 'the manifest');
  const { schemaVersion, config, layers } = manifest;
  if (schemaVersion !== 2) throw new ImageRefusedError('the manifest is not of schema version 2');
  if (!isDescriptor(config)) throw new ImageRefusedError('the manifest has no valid config');
  if (!Array.isArray(layers) || layers.length > MAX_LAYERS || !layers.every(isDescriptor)) {
    throw new ImageRefusedError('the layers of the manifest are not valid');
  }
  return manifest as ImageManifest;
}

/** The digest an index names for a platform. Throws ImageRefusedError when it names none. */
export function choosePlatform(body: Buffer, { os, architecture }: Platform): Descriptor {
  const fits = (entry: Descriptor) => entry.platform?.os === os && entry.platform.architecture === architecture;
  const chosen = parseDescriptors(body).find(fits);
  if (chosen === undefined) throw new ImageRefusedError(`the image has no variant for ${os}/${architecture}`);
  return chosen;
}

/** The entries of an index. Throws ImageRefusedError when it is none; entries that are no descriptors are left out. */
export function parseDescriptors(body: Buffer): Descriptor[] {
  const { manifests } = parseObject(body, 'the index');
  if (!Array.isArray(manifests)) throw new ImageRefusedError('the index has no manifests');
  return manifests.filter(isDescriptor);
}

/** Throws ImageRefusedError when the config does not list the layers that the manifest has. */
export function parseConfig(body: Buffer, layerCount: number): ImageConfig {
  const config = parseObject(body, 'the image config');
  const rootfs = config.rootfs as Partial<ImageConfig['rootfs']> | undefined;
  const diffIds = rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || diffIds.length !== layerCount || !diffIds.every((id) => isDigest(String(id)))) {
    throw new ImageRefusedError('the image config does not list the layers of its manifest');
  }
  return config as ImageConfig;
}

function parseObject(body: Buffer, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new ImageRefusedError(`${what} is not JSON`, { cause });
  }
  throw new ImageRefusedError(`${what} is not an object`);
}

function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Descriptor>;
  return (
    typeof mediaType === 'string' &&
    typeof digest === 'string' &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0
  );
}
