import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  digestOf,
  type Layer,
  type LayerFile,
  layerOfFiles,
  layerOfTarFile,
  mediaTypes,
  type RegistryClient,
} from '@kmm-hub/oci';
import { pack } from 'tar-stream';

/** A folder that goes with its scope. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'queue-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Pushes an image of one layer with these files under a tag. */
export async function pushFiles(client: RegistryClient, image: string, files: readonly LayerFile[]): Promise<void> {
  await pushLayer(client, image, await layerOfFiles(files));
}

async function pushLayer(client: RegistryClient, image: string, layer: Layer): Promise<void> {
  const signal = AbortSignal.timeout(120_000);
  const [repository = '', tag] = image.split(/:(?=[^:/]+$)/);
  const { config, body } = imageOf(layer);
  const configBlob = { digest: digestOf(config), sizeBytes: config.length, open: () => config };
  for (const blob of [layer, configBlob]) await client.uploadBlob(repository, blob, signal);
  await client.putManifest(repository, { body, mediaType: mediaTypes.ociManifest, tag }, signal);
}

/** Writes an image of one layer with these files as an OCI layout (image-layout.md of the OCI image spec). */
export async function writeLayout(folder: string, files: readonly LayerFile[]): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const layer = await layerOfFiles(files);
  const { config, body } = imageOf(layer);
  for (const content of [layer.open() as Buffer, config, body]) {
    await writeFile(join(blobs, digestOf(content).replace('sha256:', '')), content);
  }
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(body), size: body.length };
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
}

/** Config and manifest of an image of one layer, as bytes. */
function imageOf(layer: Layer): { config: Buffer; body: Buffer } {
  const rootfs = { type: 'layers', diff_ids: [layer.diffId] };
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', config: {}, rootfs, history: [{ created_by: 'fixture' }] }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes }],
  };
  return { config, body: Buffer.from(JSON.stringify(manifest)) };
}

/** A base image with a shell: Debian's static busybox, which is what it is called as. */
export async function pushBusybox(client: RegistryClient, image: string): Promise<void> {
  await pushFiles(client, image, await busyboxFiles());
}

/** The same with the node of a device that does no harm, /zero. No honest builder makes such a layer. */
export async function pushDeviceNode(client: RegistryClient, image: string): Promise<void> {
  await using folder = await temporaryFolder();
  const archive = pack();
  for (const { path: name, mode, content } of await busyboxFiles()) archive.entry({ name, mode }, content);
  archive.entry({ name: 'zero', type: 'character-device', mode: 0o666, devmajor: 1, devminor: 5 });
  archive.finalize();
  const tar = join(folder.path, 'layer.tar');
  await pipeline(archive, createWriteStream(tar));
  await pushLayer(client, image, await layerOfTarFile(tar));
}

async function busyboxFiles() {
  const content = await readFile('/bin/busybox');
  return [
    { path: 'bin/sh', content, mode: 0o755 },
    { path: 'bin/busybox', content, mode: 0o755 },
  ];
}
