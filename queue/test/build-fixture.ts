import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, type LayerFile, layerOfFiles, mediaTypes, type RegistryClient } from '@kmm-hub/oci';

/** A folder that goes with its scope. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'queue-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Pushes an image of one layer with these files under a tag. */
export async function pushFiles(client: RegistryClient, image: string, files: readonly LayerFile[]): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const [repository = '', tag] = image.split(/:(?=[^:/]+$)/);
  const layer = await layerOfFiles(files);
  const rootfs = { type: 'layers', diff_ids: [layer.diffId] };
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', config: {}, rootfs, history: [{ created_by: 'fixture' }] }),
  );
  const configBlob = { digest: digestOf(config), sizeBytes: config.length, open: () => config };
  for (const blob of [layer, configBlob]) await client.uploadBlob(repository, blob, signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configBlob.digest, size: config.length },
    layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes }],
  };
  await client.putManifest(
    repository,
    { body: Buffer.from(JSON.stringify(manifest)), mediaType: mediaTypes.ociManifest, tag },
    signal,
  );
}

/** A base image with a shell: Debian's static busybox, which is what it is called as. */
export async function pushBusybox(client: RegistryClient, image: string): Promise<void> {
  const content = await readFile('/bin/busybox');
  await pushFiles(client, image, [
    { path: 'bin/sh', content, mode: 0o755 },
    { path: 'bin/busybox', content, mode: 0o755 },
  ]);
}
