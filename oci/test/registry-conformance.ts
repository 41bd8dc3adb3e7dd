import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  appendLayer,
  digestOf,
  extractToDirectory,
  extractToMemory,
  ImageNotFoundError,
  ImageRefusedError,
  layerOfFiles,
  layerOfTarFile,
  mediaTypes,
  type Platform,
  pushLayout,
  type RegistryClient,
} from '../src/index.ts';
import { imageOf, layerOf, pushFixture, pushFixtureIndex } from './image-fixture.ts';

/** A registry under test, and clients that may do everything there: one for this machine, and those of other platforms. */
export type RegistryUnderTest = AsyncDisposable & {
  host: string;
  client: RegistryClient;
  clientFor(platform: Platform): RegistryClient;
};

const { signal } = new AbortController(); // vitest's own limits end what hangs
const blobOf = (text: string) => {
  const content = Buffer.from(text);
  return { digest: digestOf(content), sizeBytes: content.length, open: () => content };
};

/** What the hub needs of a registry; each kind that we claim to work with passes all of it. */
export function registryConformance(name: string, start: () => Promise<RegistryUnderTest>) {
  describe(`a registry (${name})`, () => {
    let registry: RegistryUnderTest;
    let client: RegistryClient;
    let repository: string;
    let count = 0;
    const freshRepository = () => {
      count += 1;
      return `${registry.host}/kmod/test-${count}`;
    };
    beforeAll(async () => {
      registry = await start();
      client = registry.client;
      repository = freshRepository();
    });
    afterAll(() => registry?.[Symbol.asyncDispose]());

    test('finds a pushed blob under its digest, and only there', async () => {
      const blob = blobOf('demo.ko');
      expect(await client.hasBlob(repository, blob.digest, signal)).toBe(false);
      await client.uploadBlob(repository, blob, signal);
      expect(await client.hasBlob(repository, blob.digest, signal)).toBe(true);
      expect(
        (await buffer(await client.openBlob(repository, { digest: blob.digest, size: 7 }, signal))).toString(),
      ).toBe('demo.ko');
    });

    test('refuses a blob that is not what its digest says', async () => {
      const blob = { ...blobOf('demo.ko'), digest: digestOf('something else') };
      await expect(client.uploadBlob(repository, blob, signal)).rejects.toMatchObject({ code: 'RegistryRefused' });
    });

    test('ends a blob of unexpected size in an error', async () => {
      const blob = blobOf('a blob of 18 bytes');
      await client.uploadBlob(repository, blob, signal);
      const opened = await client.openBlob(repository, { digest: blob.digest, size: 17 }, signal);
      await expect(buffer(opened)).rejects.toMatchObject({ code: 'DigestMismatch' });
    });

    test('resolves an unknown tag, repository and digest to undefined', async () => {
      for (const name of [`${repository}:no-such-kernel`, `${registry.host}/none:1`, `${repository}@${digestOf('')}`]) {
        expect(await client.resolve(name, signal)).toBeUndefined();
      }
    });

    test('says that an image to pull does not exist', async () => {
      await expect(client.getManifest(`${repository}:none`, signal)).rejects.toBeInstanceOf(ImageNotFoundError);
    });

    test('keeps an image pushed by digest without any tag', async () => {
      const untagged = freshRepository();
      const layers = [await layerOf([{ name: 'opt/a', content: 'a' }])];
      const { body } = imageOf(layers);
      const digest = await pushFixture(client, untagged, { layers, signal });
      expect(digest).toBe(digestOf(body));
      const resolved = { digest, mediaType: mediaTypes.ociManifest, sizeBytes: body.length };
      expect(await client.resolve(`${untagged}@${digest}`, signal)).toEqual(resolved);
      expect(await client.resolve(untagged, signal)).toBeUndefined();
    });

    test('moves a tag to another image', async () => {
      const first = await pushFixture(client, repository, {
        layers: [await layerOf([{ name: 'a' }])],
        tag: 'moving',
        signal,
      });
      expect(await client.resolve(`${repository}:moving`, signal)).toMatchObject({ digest: first });
      const second = await pushFixture(client, repository, {
        layers: [await layerOf([{ name: 'b' }])],
        tag: 'moving',
        signal,
      });
      expect(await client.resolve(`${repository}:moving`, signal)).toMatchObject({ digest: second });
    });

    test('deletes an image by digest once', async () => {
      const layers = [await layerOf([{ name: 'short-lived' }])];
      const digest = await pushFixture(client, repository, { layers, signal });
      expect(await client.deleteManifest(`${repository}@${digest}`, signal)).toBe(true);
      expect(await client.deleteManifest(`${repository}@${digest}`, signal)).toBe(false);
      expect(await client.resolve(`${repository}@${digest}`, signal)).toBeUndefined();
    });

    test('follows an index to the variant of the platform', async () => {
      const architectures = ['arm64', 'amd64'];
      const { indexDigest, digests } = await pushFixtureIndex(client, repository, {
        architectures,
        tag: 'multi',
        signal,
      });
      for (const [index, architecture] of architectures.entries()) {
        const ours = registry.clientFor({ os: 'linux', architecture });
        const image = await ours.getManifest(`${repository}:multi`, signal);
        expect(image).toMatchObject({ digest: digests[index], indexDigest });
        expect(await ours.getConfig(repository, image.manifest, signal)).toMatchObject({ architecture });
      }
    });

    test('takes the variant of this machine where no platform is named', async () => {
      const own = process.arch === 'x64' ? 'amd64' : process.arch;
      const index = { architectures: ['s390x', own], tag: 'own', signal };
      const { digests } = await pushFixtureIndex(client, repository, index);
      expect(await client.getManifest(`${repository}:own`, signal)).toMatchObject({ digest: digests[1] });
    });

    test('refuses an index without a variant of the platform', async () => {
      await pushFixtureIndex(client, repository, { architectures: ['arm64'], tag: 'arm', signal });
      const pulling = registry
        .clientFor({ os: 'linux', architecture: 'amd64' })
        .getManifest(`${repository}:arm`, signal);
      await expect(pulling).rejects.toThrow(new ImageRefusedError('the image has no variant for linux/amd64'));
    });

    test('appends one layer across repositories and leaves the source as it was', async () => {
      const from = freshRepository();
      const to = freshRepository();
      const layers = [await layerOf([{ name: 'opt/lib/modules/6.1/a.ko', content: 'unsigned' }])];
      const digest = await pushFixture(client, from, { layers, tag: 'v1', signal });
      const source = await client.getManifest(`${from}:v1`, signal);
      const layer = await layerOfFiles([{ path: 'opt/lib/modules/6.1/a.ko', content: Buffer.from('signed') }]);
      const annotations = { 'hub.example/content-key': 'abc' };
      const appended = await appendLayer({ client, source, target: to, layer, annotations, signal });
      const image = await client.getManifest(`${to}@${appended}`, signal);
      expect(image.manifest.annotations).toEqual(annotations);
      expect(image.manifest.layers.map((each) => each.digest)).toEqual([layers[0]?.descriptor.digest, layer.digest]);
      const config = await client.getConfig(to, image.manifest, signal);
      expect(config.rootfs.diff_ids).toEqual([layers[0]?.diffId, layer.diffId]);
      const { files } = await extractToMemory({ client, image, roots: ['/opt'], signal });
      expect(files.map(({ content }) => content.toString())).toEqual(['signed']);
      expect(await client.resolve(`${from}:v1`, signal)).toMatchObject({ digest });
      expect(await client.resolve(to, signal)).toBeUndefined();
    });

    test.each(['plain', 'gzip'] as const)('appends a layer from a %s tar file', async (compression) => {
      await using folder = await temporaryFolder();
      const tar = await layerOf([{ name: 'opt/from-tar', content: 'tar' }], compression);
      await writeFile(join(folder.path, 'layer.tar'), tar.content);
      const layer = await layerOfTarFile(join(folder.path, 'layer.tar'));
      expect(layer).toMatchObject({ ...{ digest: tar.descriptor.digest, diffId: tar.diffId } });
      await pushFixture(client, repository, { layers: [await layerOf([{ name: 'x' }])], tag: 'base', signal });
      const source = await client.getManifest(`${repository}:base`, signal);
      const digest = await appendLayer({ client, source, target: repository, layer, signal });
      const image = await client.getManifest(`${repository}@${digest}`, signal);
      const { files } = await extractToMemory({ client, image, roots: ['opt'], signal });
      expect(files.map(({ path }) => path)).toEqual(['opt/from-tar']);
    });

    test('takes an image layout and its annotations, by digest', async () => {
      await using folder = await temporaryFolder();
      const layer = await layerOf([{ name: 'opt/layout', content: 'layout' }]);
      const { config, body, manifest } = imageOf([layer]);
      await mkdir(join(folder.path, 'blobs/sha256'), { recursive: true });
      for (const blob of [layer.content, config, body]) {
        await writeFile(join(folder.path, 'blobs', digestOf(blob).replace(':', '/')), blob);
      }
      const entry = { mediaType: mediaTypes.ociManifest, digest: digestOf(body), size: body.length };
      await writeFile(join(folder.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
      const target = freshRepository();
      const push = { client, layoutFolder: folder.path, repository: target, signal };
      expect(await pushLayout(push)).toBe(digestOf(body));
      const digest = await pushLayout({ ...push, annotations: { key: 'value' } });
      const { manifest: pushed } = await client.getManifest(`${target}@${digest}`, signal);
      expect(pushed).toEqual({ ...manifest, annotations: { key: 'value' } });
    });

    test('gives a folder of the image, with whiteouts applied', async () => {
      await using folder = await temporaryFolder();
      const modules = 'opt/lib/modules/6.1';
      const layers = [
        await layerOf([
          { name: `${modules}/old.ko`, content: 'old' },
          { name: `${modules}/a.ko`, content: 'a1' },
        ]),
        await layerOf([{ name: `${modules}/.wh.old.ko` }, { name: `${modules}/a.ko`, content: 'a2' }], 'zstd'),
      ];
      await pushFixture(client, repository, { layers, tag: 'whiteouts', signal });
      const image = await client.getManifest(`${repository}:whiteouts`, signal);
      const destination = join(folder.path, 'image');
      const made = await extractToDirectory({ client, image, roots: [`/${modules}`], destination, signal });
      expect(made).toEqual({ files: 1, sizeBytes: 2, outsideLinks: [] });
      expect(await readFile(join(destination, modules, 'a.ko'), 'utf8')).toBe('a2');
    });

    test('takes a blob over from another repository without its bytes', async () => {
      const [from, to] = [freshRepository(), freshRepository()];
      const blob = blobOf('mounted');
      await client.uploadBlob(from, blob, signal);
      const open = () => {
        throw new Error('the bytes are not needed');
      };
      await client.uploadBlob(to, { ...blob, open, mountFrom: from }, signal);
      expect(await client.hasBlob(to, blob.digest, signal)).toBe(true);
    });

    test('lists what is attached to an image, by its type, under the fallback tag', async () => {
      const image = freshRepository();
      const digest = await pushFixture(client, image, { layers: [await layerOf([{ name: 'a' }])], signal });
      expect(await client.listReferrers(`${image}@${digest}`, {}, signal)).toEqual([]);
      const empty = blobOf('{}');
      await client.uploadBlob(image, empty, signal);
      const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty.digest, size: empty.sizeBytes };
      const subject = { mediaType: mediaTypes.ociManifest, digest, size: 1 };
      const attach = (artifactType: string) => {
        const manifest = {
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          artifactType,
          config,
          layers: [],
          subject,
        };
        return client.putReferrer(image, Buffer.from(JSON.stringify(manifest)), signal);
      };
      const signature = await attach('test/signature');
      const contents = await attach('test/contents');
      const all = await client.listReferrers(`${image}@${digest}`, {}, signal);
      expect(all.map((each) => each.digest).sort()).toEqual([signature, contents].sort());
      const filter = { artifactType: 'test/signature' };
      const signatures = await client.listReferrers(`${image}@${digest}`, filter, signal);
      expect(signatures).toMatchObject([{ digest: signature, artifactType: 'test/signature' }]);
      // These registries (2.8 and 3.0) leave the spec's API out: the list stands under the fallback tag, and goes with it.
      const list = await client.resolve(`${image}:${digest.replace(':', '-')}`, signal);
      expect(list).toMatchObject({ mediaType: mediaTypes.ociIndex });
      await client.deleteManifest(`${image}@${list?.digest}`, signal);
      expect(await client.listReferrers(`${image}@${digest}`, {}, signal)).toEqual([]);
    });

    test('ends a call whose signal is aborted with the reason of the signal', async () => {
      const reason = new Error('the job was cancelled');
      await expect(client.resolve(repository, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'oci-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
