import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModuleConfig } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { type Registry, runFolder, startRegistry } from '@kmm-hub/lab';
import { createRegistryClient, digestOf, layerOfFiles, mediaTypes, readRegistriesConf } from '@kmm-hub/oci';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { removeUnwantedImages } from '../src/node/modules/kept-images.ts';
import { pullModuleFiles } from '../src/node/modules/pull.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const RELEASE = '6.1.0-53-amd64';
let folder: string;
let registry: Registry;
let references: Awaited<ReturnType<typeof pushImage>>;
let reference: string;
let imagesFolder: string;

beforeAll(async () => {
  folder = await runFolder('pull');
  registry = await startRegistry({ folder: join(folder, 'registry'), signal });
  references = await pushImage();
  reference = references.byDigest;
});

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await registry.process.restart(signal);
  imagesFolder = await mkdtemp(join(tmpdir(), 'images-'));
  return () => rm(imagesFolder, { recursive: true, force: true });
});

/** Pushes an image with one module: by digest, with a tag, and in an index. */
async function pushImage() {
  const client = createRegistryClient();
  const repository = `${registry.host}/hello`;
  const layer = await layerOfFiles([{ path: `opt/lib/modules/${RELEASE}/hello.ko`, content: Buffer.from('K') }]);
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.diffId] } }),
  );
  await client.uploadBlob(repository, layer, signal);
  const configBlob = { digest: digestOf(config), sizeBytes: config.length };
  await client.uploadBlob(repository, { ...configBlob, open: () => config }, signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configBlob.digest, size: configBlob.sizeBytes },
    layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes }],
  };
  const body = Buffer.from(JSON.stringify(manifest));
  const digest = await client.putManifest(repository, { body, mediaType: mediaTypes.ociManifest }, signal);
  const tagged = { body, mediaType: mediaTypes.ociManifest, tag: '1' };
  await client.putManifest(repository, tagged, signal);
  const platform = { architecture: 'amd64', os: 'linux' };
  const manifests = [{ mediaType: mediaTypes.ociManifest, digest, size: body.length, platform }];
  const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  const index = await client.putManifest(repository, { body: list, mediaType: mediaTypes.ociIndex }, signal);
  await client.close();
  return { byDigest: `${repository}@${digest}`, byTag: `${repository}:1`, byIndex: `${repository}@${index}` };
}

function configOf(containerImage: string, dirName = '/opt'): ModuleConfig {
  const modprobe = { moduleName: 'hello', dirName };
  return { kernelVersion: RELEASE, containerImage, insecurePull: false, modprobe };
}

/** Removes what a node that wants just this image does not need. */
function tidyUp(config: ModuleConfig) {
  const module = { namespace: 'drivers', name: 'hello', serviceAccountName: 'loader', config };
  return removeUnwantedImages(imagesFolder, { spec: [module], status: [], intents: [] });
}

function pull(containerImage = reference, mirrors = '', config = configOf(containerImage)) {
  // no imageRepoSecret: the API server is not asked
  const options = {
    client: undefined as unknown as KubeClient,
    imagesFolder,
    release: RELEASE,
    mirrors: async () => readRegistriesConf(mirrors),
  };
  return pullModuleFiles(options, { module: { namespace: 'drivers' }, config }, signal);
}

test('a node that has pulled an image by digest needs no registry any more', async () => {
  const first = await pull();
  await registry.process.stop();
  expect(await pull()).toEqual(first);
  expect(await readFile(join(first.modulesFolder, 'hello.ko'), 'utf8')).toBe('K');
});

test('a node without the image says that the registry is away', async () => {
  await registry.process.stop();
  await expect(pull()).rejects.toMatchObject({ code: 'RegistryUnreachable' });
});

test('a kept manifest that was damaged on the disk is not believed', async () => {
  await pull();
  const digest = reference.split('@')[1]?.replace(':', '-');
  const file = join(imagesFolder, 'manifests', `${digest}.json`);
  const kept = JSON.parse(await readFile(file, 'utf8')) as { body: string };
  await writeFile(file, JSON.stringify({ ...kept, body: Buffer.from('{}').toString('base64') }));
  await registry.process.stop();
  await expect(pull()).rejects.toMatchObject({ code: 'RegistryUnreachable' });
});

test('a kept manifest that a power cut left torn is pulled anew', async () => {
  const first = await pull();
  const digest = reference.split('@')[1]?.replace(':', '-');
  await writeFile(join(imagesFolder, 'manifests', `${digest}.json`), '{"repository":"r');
  expect(await pull()).toEqual(first);
});

test("a node pulls through the mirror that its runtime's registries.conf names", async () => {
  const conf = `[[registry]]\nlocation = "registry.invalid"\n[[registry.mirror]]\nlocation = "${registry.host}"\ninsecure = true\n`;
  const files = await pull(reference.replace(registry.host, 'registry.invalid'), conf);
  expect(await readFile(join(files.modulesFolder, 'hello.ko'), 'utf8')).toBe('K');
});

test.each(['byDigest', 'byIndex', 'byTag'] as const)('an image that is wanted %s stays whole', async (name) => {
  const first = await pull(references[name]);
  expect(await tidyUp(configOf(references[name]))).toEqual([]);
  expect(await readFile(join(first.modulesFolder, 'hello.ko'), 'utf8')).toBe('K');
  await registry.process.stop();
  if (name === 'byTag') return; // it may have moved
  expect(await pull(references[name])).toEqual(first);
});

test('an image that nobody wants any more is pulled anew when it is wanted again', async () => {
  await pull();
  await tidyUp(configOf(reference.replace(/.{8}$/, '00000000')));
  expect(await readdir(imagesFolder, { recursive: true })).toEqual(['manifests']);
  await registry.process.stop();
  await expect(pull()).rejects.toMatchObject({ code: 'RegistryUnreachable' });
});

test('an image without the files that are wanted is kept too, and not pulled again each time it is tried', async () => {
  const broken = configOf(references.byTag, '/none');
  await expect(pull(references.byTag, '', broken)).rejects.toMatchObject({ code: 'ModuleFilesMissing' });
  expect(await tidyUp(broken)).toEqual([]);
});
