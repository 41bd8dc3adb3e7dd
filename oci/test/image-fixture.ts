import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { type Descriptor, digestOf, type ImageManifest, mediaTypes, type RegistryClient } from '../src/index.ts';

/** One tar entry: header fields, and the content of a file. */
export type FixtureEntry = Partial<Header> & { name: string; content?: string };
export type Compression = 'plain' | 'gzip' | 'zstd';

const suffix = { plain: '', gzip: '+gzip', zstd: '+zstd' };

/** A tar exactly of these entries, hostile ones too. */
export async function tarOf(entries: readonly FixtureEntry[]): Promise<Buffer> {
  const archive = pack();
  const packed = buffer(archive);
  for (const { content = '', ...header } of entries) {
    archive.entry({ type: 'file', ...header }, header.type === undefined || header.type === 'file' ? content : '');
  }
  archive.finalize();
  return packed;
}

export async function layerOf(entries: readonly FixtureEntry[], compression: Compression = 'gzip') {
  const tar = await tarOf(entries);
  const compress = {
    plain: (data: Buffer) => data,
    gzip: (data: Buffer) => gzipSync(data),
    zstd: (data: Buffer) => zstdCompressSync(data),
  };
  const content = compress[compression](tar);
  const mediaType = `${mediaTypes.ociLayer}${suffix[compression]}`;
  return { content, diffId: digestOf(tar), descriptor: { mediaType, digest: digestOf(content), size: content.length } };
}

export type FixtureLayer = Awaited<ReturnType<typeof layerOf>>;

/** An OCI image of these layers: its config and its manifest, as bytes and as values. */
export function imageOf(layers: readonly FixtureLayer[], architecture = 'amd64') {
  const rootfs = { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) };
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      rootfs,
      history: layers.map(() => ({ created_by: 'fixture' })),
    }),
  );
  const configBlob: Descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configBlob,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return { config, manifest, body: Buffer.from(JSON.stringify(manifest)) };
}

export type FixtureImage = {
  layers: readonly FixtureLayer[];
  architecture?: string;
  tag?: string;
  signal: AbortSignal;
};

/** Pushes an image of these layers and returns its digest. */
export async function pushFixture(
  client: RegistryClient,
  repository: string,
  { layers, architecture, tag, signal }: FixtureImage,
): Promise<string> {
  const { config, manifest, body } = imageOf(layers, architecture);
  const blobs = [...layers.map(({ content }) => content), config];
  for (const content of blobs) {
    const blob = { digest: digestOf(content), sizeBytes: content.length, open: () => content };
    await client.uploadBlob(repository, blob, signal);
  }
  return client.putManifest(repository, { body, mediaType: manifest.mediaType ?? '', tag }, signal);
}

/** Pushes an image per architecture and an index of them under `tag`; `digests` are those of the images, in that order. */
export async function pushFixtureIndex(
  client: RegistryClient,
  repository: string,
  { architectures, tag, signal }: { architectures: readonly string[]; tag: string; signal: AbortSignal },
): Promise<{ indexDigest: string; digests: string[] }> {
  const manifests: Descriptor[] = [];
  for (const architecture of architectures) {
    const layers = [await layerOf([{ name: architecture }])];
    const digest = await pushFixture(client, repository, { layers, architecture, signal });
    const size = imageOf(layers, architecture).body.length;
    manifests.push({ mediaType: mediaTypes.ociManifest, digest, size, platform: { os: 'linux', architecture } });
  }
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  const indexDigest = await client.putManifest(repository, { body, mediaType: mediaTypes.ociIndex, tag }, signal);
  return { indexDigest, digests: manifests.map(({ digest }) => digest) };
}
