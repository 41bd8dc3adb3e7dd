import { digestOf } from './digest.ts';
import { ImageRefusedError } from './errors.ts';
import { type Descriptor, type ImageConfig, type ImageManifest, mediaTypes } from './manifest.ts';
import type { PulledManifest } from './manifests.ts';
import type { RegistryClient } from './registry-client.ts';
import type { Layer } from './tar-layer.ts';

export type AppendRequest = {
  client: RegistryClient;
  source: PulledManifest;
  /** The repository that gets the new image, e.g. `quay.io/team/kmod`. */
  target: string;
  layer: Layer;
  annotations?: Record<string, string> | undefined;
  /** What the image's history says of the layer. */
  createdBy?: string | undefined;
  signal: AbortSignal;
};

/** Docker's layer types and the OCI types for the same bytes. */
const OCI_TYPES: Record<string, string> = {
  'application/vnd.docker.image.rootfs.diff.tar': mediaTypes.ociLayer,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': `${mediaTypes.ociLayer}+gzip`,
};

/**
 * Pushes the source image with one more layer, by digest and without a tag, and returns the new digest. The result is an
 * OCI image whatever the source was, since only those have annotations; layers and history stay, bytes are mounted where
 * the registry can, else copied. Throws ImageRefusedError (a source that cannot be carried over) and the client's errors.
 */
export async function appendLayer(request: AppendRequest): Promise<string> {
  const { client, source, target, layer, signal } = request;
  const config = appendToConfig(await client.getConfig(source.repository, source.manifest, signal), request);
  const body = Buffer.from(JSON.stringify(config));
  const configBlob = { digest: digestOf(body), sizeBytes: body.length };
  await copyLayers(request);
  await client.uploadBlob(target, layer, signal);
  await client.uploadBlob(target, { ...configBlob, open: () => body }, signal);
  const manifest = appendToManifest(request, {
    mediaType: mediaTypes.ociConfig,
    digest: configBlob.digest,
    size: configBlob.sizeBytes,
  });
  const put = { body: Buffer.from(JSON.stringify(manifest)), mediaType: mediaTypes.ociManifest };
  return client.putManifest(target, put, signal);
}

/** One after the other: the large ones are mounted, and a stream at a time bounds what a worker holds. */
async function copyLayers({ client, source, target, signal }: AppendRequest): Promise<void> {
  for (const layer of source.manifest.layers) {
    if (await client.hasBlob(target, layer.digest, signal)) continue;
    const blob = { digest: layer.digest, sizeBytes: layer.size, mountFrom: source.repository };
    await client.uploadBlob(target, { ...blob, open: () => client.openBlob(source.repository, layer, signal) }, signal);
  }
}

function appendToConfig(config: ImageConfig, { layer, createdBy }: AppendRequest): ImageConfig {
  const rootfs = { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.diffId] };
  const entry = { created: new Date(0).toISOString(), created_by: createdBy ?? 'kmm-hub' };
  return { ...config, rootfs, ...(config.history && { history: [...config.history, entry] }) };
}

function appendToManifest({ source, layer, annotations }: AppendRequest, config: Descriptor): ImageManifest {
  const added = { mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes };
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [...source.manifest.layers.map(toOciLayer), added],
    annotations: { ...source.manifest.annotations, ...annotations },
  };
}

function toOciLayer(layer: Descriptor): Descriptor {
  const mediaType = OCI_TYPES[layer.mediaType] ?? layer.mediaType;
  if (mediaType.startsWith(mediaTypes.ociLayer)) return { ...layer, mediaType };
  throw new ImageRefusedError(`a layer of type ${mediaType.slice(0, 100)} cannot be carried over`);
}
