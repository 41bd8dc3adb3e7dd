import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { type Descriptor, digestOf, digestOfStream, mediaTypes } from '@kmm-hub/oci';

export type LayoutRequest = {
  /** An uncompressed tar of the root file system. */
  rootfsTar: string;
  /** The new layout. */
  folder: string;
  /** GOARCH, e.g. `amd64`. */
  architecture: string;
  signal: AbortSignal;
};

const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 6 } };
const EPOCH = '1970-01-01T00:00:00Z';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Writes a root file system as an image of one layer (OCI image spec, image-layout.md). Same tar, same digest. */
export async function writeLayout({ rootfsTar, folder, architecture, signal }: LayoutRequest): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const { layer, diffId } = await writeLayer(rootfsTar, blobs, signal);
  const config = await writeJson(blobs, mediaTypes.ociConfig, {
    architecture,
    os: 'linux',
    config: { Env: [`PATH=${PATH}`], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: EPOCH, created_by: 'mmdebstrap' }], // buildah refuses to build on layers without history
  });
  const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
  const manifest = await writeJson(blobs, mediaTypes.ociManifest, image);
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

async function writeLayer(tar: string, blobs: string, signal: AbortSignal) {
  const compressed = join(blobs, 'layer');
  const plain = createHash('sha256');
  const hashed = new PassThrough().on('data', (chunk) => plain.update(chunk));
  await pipeline(createReadStream(tar), hashed, createZstdCompress(ZSTD), createWriteStream(compressed), { signal });
  const { digest } = await digestOfStream(createReadStream(compressed));
  await rename(compressed, blobFile(blobs, digest));
  const { size } = await stat(blobFile(blobs, digest));
  const layer: Descriptor = { mediaType: `${mediaTypes.ociLayer}+zstd`, digest, size };
  return { layer, diffId: `sha256:${plain.digest('hex')}` };
}

async function writeJson(blobs: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const body = Buffer.from(JSON.stringify(value));
  const digest = digestOf(body);
  await writeFile(blobFile(blobs, digest), body);
  return { mediaType, digest, size: body.length };
}

function blobFile(blobs: string, digest: string): string {
  return join(blobs, digest.slice('sha256:'.length));
}
