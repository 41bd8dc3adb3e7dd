import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaults } from './defaults.ts';
import { digestOf, requireDigest } from './digest.ts';
import { DigestMismatchError, ImageRefusedError } from './errors.ts';
import { type Descriptor, type ImageManifest, mediaTypeOf, parseManifest } from './manifest.ts';
import type { RegistryClient } from './registry-client.ts';

/** The one image of an OCI image layout; `blobFile` is where the bytes of a descriptor lie. */
export type Layout = {
  digest: string;
  mediaType: string;
  body: Buffer;
  manifest: ImageManifest;
  blobFile(blob: Descriptor): string;
};

/**
 * Reads a folder as `buildah push <image> oci:<folder>` writes it (OCI image spec, image-layout.md). Throws
 * ImageRefusedError when it holds not exactly one image, DigestMismatchError when its manifest is not the one it names.
 */
export async function readLayout(folder: string): Promise<Layout> {
  const index: { manifests?: Descriptor[] } = JSON.parse(
    (await readSmall(join(folder, 'index.json'))).toString('utf8'),
  );
  const [image, ...others] = index.manifests ?? [];
  if (image === undefined || others.length > 0)
    throw new ImageRefusedError('the layout does not hold exactly one image');
  const blobFile = ({ digest }: Descriptor) => join(folder, 'blobs', ...requireDigest(digest).split(':'));
  const body = await readSmall(blobFile(image));
  const digest = digestOf(body);
  if (digest !== image.digest)
    throw new DigestMismatchError(`the layout holds ${digest} under the name ${image.digest}`);
  return { digest, mediaType: mediaTypeOf(body, image.mediaType), body, manifest: parseManifest(body), blobFile };
}

export type PushRequest = {
  client: RegistryClient;
  layoutFolder: string;
  repository: string;
  /** Added to the manifest, which changes the digest. */
  annotations?: Record<string, string> | undefined;
  tag?: string | undefined;
  signal: AbortSignal;
};

/** Pushes the layout's image, by digest unless a tag is given, and returns the digest. Blobs that are there stay. */
export async function pushLayout({
  client,
  layoutFolder,
  repository,
  annotations,
  tag,
  signal,
}: PushRequest): Promise<string> {
  const { manifest, mediaType, body, blobFile } = await readLayout(layoutFolder);
  for (const blob of [...manifest.layers, manifest.config]) {
    const open = () => createReadStream(blobFile(blob));
    await client.uploadBlob(repository, { digest: blob.digest, sizeBytes: blob.size, open }, signal);
  }
  const annotated = { ...manifest, annotations: { ...manifest.annotations, ...annotations } };
  const pushed = annotations === undefined ? body : Buffer.from(JSON.stringify(annotated));
  return client.putManifest(repository, { body: pushed, mediaType, tag }, signal);
}

async function readSmall(file: string): Promise<Buffer> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  if (size > defaults.maxManifestBytes) throw new ImageRefusedError(`${file} is too large to be a manifest`);
  return await readFile(handle); // awaited: the handle closes when this function returns
}
