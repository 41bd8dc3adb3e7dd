import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { digestOf, digestOfStream } from './digest.ts';
import { imagePath } from './image-path.ts';
import { mediaTypes } from './manifest.ts';

/** One file of a layer; folders on its way that the image lacks are made by whoever unpacks it. */
export type LayerFile = { path: string; content: Buffer; mode?: number; uid?: number; gid?: number };

/** A layer ready to be uploaded. `diffId` is the digest of the plain tar, as the image config lists it. */
export type Layer = {
  mediaType: string;
  digest: string;
  sizeBytes: number;
  diffId: string;
  open: () => Readable | Buffer;
};

/** Modules compress to nearly the same size at every level, and signing has 300 ms for everything. */
const GZIP = { level: 1 };
const EPOCH = new Date(0);

/** A gzip layer of these files, in memory. The same files give the same bytes: sorted, dated 1970, plain header fields. */
export async function layerOfFiles(files: readonly LayerFile[]): Promise<Layer> {
  const byPath = new Map(files.map((file) => [imagePath(file.path), file]));
  const archive = pack();
  const packed = buffer(archive);
  for (const path of [...byPath.keys()].sort()) await addFile(archive, path, byPath.get(path));
  archive.finalize();
  const tar = await packed;
  const content = await promisify(gzip)(tar, GZIP);
  const mediaType = `${mediaTypes.ociLayer}+gzip`;
  return {
    mediaType,
    digest: digestOf(content),
    sizeBytes: content.length,
    diffId: digestOf(tar),
    open: () => content,
  };
}

/** A layer from a tar file, gzip-compressed or plain, uploaded as it is and never wholly in memory. */
export async function layerOfTarFile(tarPath: string): Promise<Layer> {
  const compressed = await isGzip(tarPath);
  const { digest, sizeBytes } = await digestOfStream(createReadStream(tarPath));
  const diffId = compressed ? (await digestOfStream(createReadStream(tarPath).pipe(createGunzip()))).digest : digest;
  const mediaType = compressed ? `${mediaTypes.ociLayer}+gzip` : mediaTypes.ociLayer;
  return { mediaType, digest, sizeBytes, diffId, open: () => createReadStream(tarPath) };
}

function addFile(archive: Pack, name: string, file: LayerFile | undefined): Promise<void> {
  const { content = Buffer.alloc(0), mode = 0o644, uid = 0, gid = 0 } = file ?? {};
  return new Promise((resolve, reject) => {
    const header = { name, mode, uid, gid, size: content.length, mtime: EPOCH, type: 'file' as const };
    archive.entry(header, content, (err) => (err ? reject(err) : resolve()));
  });
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer: start } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return start[0] === 0x1f && start[1] === 0x8b;
}
