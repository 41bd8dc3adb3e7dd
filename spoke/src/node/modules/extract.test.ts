import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ModuleConfig } from '@kmm-hub/api-types';
import { layerOfFiles, mediaTypes, type PulledManifest, type RegistryClient } from '@kmm-hub/oci';
import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { bringModuleFiles, type ExtractionRequest, findModuleFiles } from './extract.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const FILES = {
  'opt/lib/modules/6.1.0/extra/hello.ko': 'K',
  'opt/lib/modules/6.1.0/modules.dep': 'x',
  'opt/lib/modules/5.4.0/hello.ko': 'other kernel',
  'firmware/hello.bin': 'F',
  'bin/sh': 'never needed',
};

function config(modprobe: ModuleConfig['modprobe'] = {}): ModuleConfig {
  return {
    kernelVersion: '6.1.0',
    containerImage: 'r/hello:1',
    insecurePull: false,
    modprobe: { dirName: '/opt', ...modprobe },
  };
}

/** An image of one layer, and a registry that counts what is pulled of it. */
async function image(files: Record<string, string>) {
  const entries = Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) }));
  const { mediaType, digest, sizeBytes, open } = await layerOfFiles(entries);
  const pulls: string[] = [];
  const client: Pick<RegistryClient, 'openBlob'> = {
    openBlob: async (_repository, blob) => {
      pulls.push(blob.digest);
      const content = open();
      return Buffer.isBuffer(content) ? Readable.from([content]) : content;
    },
  };
  const configBlob = { mediaType: mediaTypes.ociConfig, digest: `sha256:${'c'.repeat(64)}`, size: 2 };
  const pulled: PulledManifest = {
    repository: 'registry.example/hello',
    digest: `sha256:${'a'.repeat(64)}`,
    indexDigest: undefined,
    mediaType: mediaTypes.ociManifest,
    body: Buffer.alloc(0),
    manifest: { schemaVersion: 2, config: configBlob, layers: [{ mediaType, digest, size: sizeBytes }] },
  };
  return { client: client as RegistryClient, image: pulled, pulls };
}

async function extractModuleFiles(request: ExtractionRequest) {
  await bringModuleFiles(request);
  return findModuleFiles(request);
}

test('brings the modules of this kernel and the firmware, and nothing else', async () => {
  await using root = await hostTree({});
  const { client, image: pulled } = await image(FILES);
  const files = await extractModuleFiles({
    client,
    image: pulled,
    config: config({ firmwarePath: '/firmware' }),
    release: '6.1.0',
    imagesFolder: root.path,
    signal,
  });
  const brought = await readdir(join(files.folder, 'files'), { recursive: true });
  expect(brought.filter((path) => /\.\w+$/.test(path) && !path.endsWith('6.1.0')).sort()).toEqual([
    'firmware/hello.bin',
    'opt/lib/modules/6.1.0/extra/hello.ko',
    'opt/lib/modules/6.1.0/modules.dep',
  ]);
  expect(files).toEqual({
    folder: files.folder,
    digest: pulled.digest,
    modulesFolder: join(files.folder, 'files/opt/lib/modules/6.1.0'),
    firmwareFolder: join(files.folder, 'files/firmware'),
  });
});

test('pulls an image once, and once more for another selection', async () => {
  await using root = await hostTree({});
  const { client, image: pulled, pulls } = await image(FILES);
  const request = { client, image: pulled, config: config(), release: '6.1.0', imagesFolder: root.path, signal };
  const first = await extractModuleFiles(request);
  expect(await extractModuleFiles(request)).toEqual(first);
  expect(pulls).toHaveLength(1);
  const other = await extractModuleFiles({ ...request, config: config({ firmwarePath: '/firmware' }) });
  expect(other.folder).not.toBe(first.folder);
  await rm(first.folder, { recursive: true });
  expect((await extractModuleFiles(request)).modulesFolder).toBe(first.modulesFolder);
});

test('does not take for whole what a pull that was killed left', async () => {
  await using root = await hostTree({});
  const { client, image: pulled } = await image(FILES);
  const request = { client, image: pulled, config: config(), release: '6.1.0', imagesFolder: root.path, signal };
  const { folder, modulesFolder } = await extractModuleFiles(request);
  await rm(folder, { recursive: true });
  for (const place of ['arriving', 'arriving.partial/tree']) {
    await mkdir(join(folder, place, 'opt/lib/modules/6.1.0/extra'), { recursive: true });
    await writeFile(join(folder, place, 'opt/lib/modules/6.1.0/extra/hello.ko'), '');
  }
  await extractModuleFiles(request);
  expect(await readFile(join(modulesFolder, 'extra/hello.ko'), 'utf8')).toBe('K');
  expect(await readdir(folder)).toEqual(['files']);
});

test.each([
  ['6.1.0+', 'with', { 'opt/lib/modules/6.1.0+/hello.ko': 'K' }, '6.1.0+'],
  ['6.1.0+', 'without', { 'opt/lib/modules/6.1.0/hello.ko': 'K' }, '6.1.0'],
])('W34 finds modules for %s in an image laid out %s the plus', async (...[release, , files, folder]) => {
  await using root = await hostTree({});
  const { client, image: pulled } = await image(files as Record<string, string>);
  const found = await extractModuleFiles({
    client,
    image: pulled,
    config: config(),
    release,
    imagesFolder: root.path,
    signal,
  });
  expect(found.modulesFolder).toBe(join(found.folder, 'files/opt/lib/modules', folder));
});

test.each([
  ['no module for this kernel', '6.2.0', {}, 'no .ko file below /opt/lib/modules/6.2.0'],
  ['no such firmware', '6.1.0', { firmwarePath: '/lib/none' }, 'no folder /lib/none'],
  ['another dirName', '6.1.0', { dirName: '/usr/' }, 'no .ko file below /usr/lib/modules/6.1.0'],
])('says where it looked in an image with %s', async (...[, release, modprobe, words]) => {
  await using root = await hostTree({});
  const { client, image: pulled } = await image(FILES);
  const extraction = extractModuleFiles({
    client,
    image: pulled,
    config: config(modprobe),
    release,
    imagesFolder: root.path,
    signal,
  });
  await expect(extraction).rejects.toMatchObject({
    code: 'ModuleFilesMissing',
    message: `image r/hello:1 has ${words}`,
  });
});
