import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FixtureEntry, type FixtureLayer, imageOf, layerOf } from '../test/image-fixture.ts';
import { digestOf, verified } from './digest.ts';
import { extractToDirectory, extractToMemory } from './extract.ts';
import type { ExtractRequest } from './image-walk.ts';

const modules = 'opt/lib/modules/6.1';
const { signal } = new AbortController(); // vitest's own limits end what hangs
const file = (name: string, content = name): FixtureEntry => ({ name, content });
const folderEntry = (name: string): FixtureEntry => ({ name, type: 'directory' });
const symlink = (name: string, linkname: string): FixtureEntry => ({ name, type: 'symlink', linkname });
const hardlink = (name: string, linkname: string): FixtureEntry => ({ name, type: 'link', linkname });

/** A request for an image of these layers, whose blobs are in memory. */
function imageRequest(layers: readonly FixtureLayer[], roots: string[]): ExtractRequest {
  const contents = new Map(layers.map(({ descriptor, content }) => [descriptor.digest, content]));
  const openBlob: ExtractRequest['client']['openBlob'] = async (_repository, blob) =>
    verified(Readable.from([contents.get(blob.digest) ?? Buffer.alloc(0)]), blob, (cause) => cause as Error);
  const image = { repository: 'registry.example/kmod', manifest: imageOf(layers).manifest };
  return { client: { openBlob }, image, roots, signal };
}

/** What `roots` hold after these layers: path → content, or `→ target` for links. */
async function listing(layers: FixtureEntry[][], roots = [`/${modules}`]): Promise<Record<string, string>> {
  const built = await Promise.all(layers.map((entries) => layerOf(entries)));
  const { files, links } = await extractToMemory(imageRequest(built, roots));
  return Object.fromEntries([
    ...files.map(({ path, content }) => [path, content.toString()]),
    ...links.map(({ path, target }) => [path, `→ ${target}`]),
  ]);
}

describe('the files of an image', () => {
  test.each(['plain', 'gzip', 'zstd'] as const)('are read from %s layers', async (compression) => {
    const layer = await layerOf([file(`./${modules}/a.ko`, 'a')], compression);
    const { files } = await extractToMemory(imageRequest([layer], [modules]));
    expect(files).toEqual([
      { path: `${modules}/a.ko`, realPath: `${modules}/a.ko`, mode: 0o644, uid: 0, gid: 0, content: Buffer.from('a') },
    ]);
  });

  test('are those of the upper layer', async () => {
    expect(await listing([[file(`${modules}/a.ko`, '1')], [file(`${modules}/a.ko`, '2')]])).toEqual({
      [`${modules}/a.ko`]: '2',
    });
  });

  test('lie below the roots only', async () => {
    const entries = [file(`${modules}/a.ko`, 'a'), file('opt/lib/modules/6.1-other/b.ko'), file('etc/passwd')];
    expect(await listing([entries])).toEqual({ [`${modules}/a.ko`]: 'a' });
  });

  test.each<[string, FixtureEntry[]]>([
    ['a whiteout of the file', [file(`${modules}/.wh.a.ko`)]],
    ['a whiteout of a folder above', [file('opt/lib/.wh.modules')]],
    ['an opaque folder', [file(`${modules}/.wh..wh..opq`)]],
    ['an opaque folder far above', [file('opt/.wh..wh..opq')]],
    ['a file in place of the folder', [file('opt/lib/modules', 'no folder')]],
  ])('are gone after %s', async (_case, entries) => {
    expect(await listing([[file(`${modules}/a.ko`)], entries])).toEqual({});
  });

  test('of the whiteout’s own layer stay, whatever the order', async () => {
    const upper = [file(`${modules}/new.ko`, 'new'), file(`${modules}/.wh..wh..opq`), file(`${modules}/.wh.a.ko`)];
    expect(await listing([[file(`${modules}/a.ko`)], upper])).toEqual({ [`${modules}/new.ko`]: 'new' });
  });

  test('are found through a link on the way, under both names', async () => {
    const built = await layerOf([symlink('lib', 'usr/lib'), file('usr/lib/modules/6.1/a.ko', 'a')]);
    const { files } = await extractToMemory(imageRequest([built], ['/lib/modules/6.1']));
    expect(files).toMatchObject([{ path: 'lib/modules/6.1/a.ko', realPath: 'usr/lib/modules/6.1/a.ko' }]);
  });

  test('are found through an absolute link that climbs, inside the image', async () => {
    const entries = [symlink('opt/lib', '/../../../data'), file('data/modules/6.1/a.ko', 'a')];
    expect(await listing([entries])).toEqual({ [`${modules}/a.ko`]: 'a' });
  });

  test('are found as hard links to files outside of the roots and in lower layers', async () => {
    const layers = [
      [file('usr/src/a.ko', 'a')],
      [hardlink(`${modules}/a.ko`, 'usr/src/a.ko'), hardlink(`${modules}/b.ko`, `${modules}/a.ko`)],
    ];
    expect(await listing(layers)).toEqual({ [`${modules}/a.ko`]: 'a', [`${modules}/b.ko`]: 'a' });
  });

  test('do not include those that are filtered out, nor what they replaced', async () => {
    const layers = await Promise.all(
      [[file(`${modules}/a.ko`), file(`${modules}/b.ko`)]].map((entries) => layerOf(entries)),
    );
    const { files } = await extractToMemory({
      ...imageRequest(layers, [modules]),
      match: (path) => path.endsWith('/b.ko'),
    });
    expect(files.map(({ path }) => path)).toEqual([`${modules}/b.ko`]);
  });
});

describe('a hostile image', () => {
  const refused = { code: 'ImageRefused' };

  test.each<[string, FixtureEntry[]]>([
    ['climbs out of the root', [file(`${modules}/../../../../etc/passwd`)]],
    ['climbs out by a hard link', [hardlink(`${modules}/a`, '../../etc/passwd')]],
    ['writes through its own link', [symlink(`${modules}/out`, '/etc'), file(`${modules}/out/passwd`)]],
    ['links hard to nothing', [hardlink(`${modules}/a`, `${modules}/none`)]],
    ['holds a device', [{ name: `${modules}/disk`, type: 'block-device', devmajor: 8, devminor: 0 }]],
    ['holds a named pipe', [{ name: `${modules}/pipe`, type: 'fifo' }]],
    ['has a path longer than PATH_MAX', [file(`${modules}/${'a/'.repeat(2500)}x`)]],
    ['has links in a circle', [symlink('opt/lib', '../opt/lib2'), symlink('opt/lib2', 'lib')]],
  ])('that %s is refused', async (_what, entries) => {
    await expect(listing([entries])).rejects.toMatchObject(refused);
  });

  test.each([
    ['one file', { maxFileBytes: 99 }],
    ['all files', { maxTotalBytes: 150 }],
    ['all layers', { maxImageBytes: 1024 }],
    ['number of entries', { maxEntries: 1 }],
    ['number of files', { maxFiles: 1 }],
  ])('over the limit of %s is refused', async (_case, limits) => {
    const layer = await layerOf([file(`${modules}/a.ko`, 'a'.repeat(100)), file(`${modules}/b.ko`, 'b'.repeat(100))]);
    await expect(extractToMemory({ ...imageRequest([layer], [modules]), limits })).rejects.toMatchObject(refused);
  });

  test.each([
    ['cut off', (content: Buffer) => content.subarray(0, -20)],
    ['not compressed as it says', () => Buffer.from('not gzip')],
    ['not a tar', () => gzipSync(Buffer.alloc(2048, 'x'))],
  ])('with a layer that is %s is refused', async (_case, damage) => {
    const layer = await layerOf([file(`${modules}/a.ko`)]);
    const content = damage(layer.content);
    const descriptor = { ...layer.descriptor, digest: digestOf(content), size: content.length };
    const damaged = { ...layer, content, descriptor };
    await expect(extractToMemory(imageRequest([damaged], [modules]))).rejects.toMatchObject(refused);
  });

  test('whose layer is not the one its manifest names gives nothing', async () => {
    const layer = await layerOf([file(`${modules}/a.ko`)]);
    const forged = { ...layer, content: gzipSync(Buffer.alloc(1024)) };
    forged.descriptor = { ...layer.descriptor, size: forged.content.length };
    await expect(extractToMemory(imageRequest([forged], [modules]))).rejects.toMatchObject({ code: 'DigestMismatch' });
  });

  test('with bytes behind the compressed layer is still held to its digest', async () => {
    const layer = await layerOf([file(`${modules}/a.ko`, 'a')]);
    const content = Buffer.concat([layer.content, Buffer.alloc(300_000, 'junk')]);
    const forged = { ...layer, content, descriptor: { ...layer.descriptor, size: content.length } };
    await expect(extractToMemory(imageRequest([forged], [modules]))).rejects.toThrow();
  });

  test('with a layer of an unknown type is refused', async () => {
    const layer = await layerOf([file(`${modules}/a.ko`)]);
    const odd = { ...layer, descriptor: { ...layer.descriptor, mediaType: 'application/x-tar' } };
    await expect(extractToMemory(imageRequest([odd], [modules]))).rejects.toMatchObject(refused);
  });
});

describe('the folder of an image', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'extract-'));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  async function place(layers: FixtureEntry[][], roots = [`/${modules}`, '/firmware']) {
    const built = await Promise.all(layers.map((entries) => layerOf(entries)));
    const destination = join(parent, 'made', 'image');
    const made = await extractToDirectory({ ...imageRequest(built, roots), destination });
    return { destination, made };
  }

  test('holds files, folders and inner links under the image’s paths, without set-id bits and for nobody else to write', async () => {
    const { destination, made } = await place([
      [
        folderEntry(`${modules}/empty`),
        { ...file(`${modules}/a.ko`, 'a'), mode: 0o4777 },
        symlink(`${modules}/link.ko`, `/${modules}/a.ko`),
        file('firmware/fw.bin', 'fw'),
      ],
    ]);
    expect(made).toEqual({ files: 2, sizeBytes: 3, outsideLinks: [] });
    expect(await readdir(join(destination, modules))).toEqual(['a.ko', 'empty', 'link.ko']);
    expect((await lstat(join(destination, modules, 'a.ko'))).mode & 0o7777).toBe(0o755);
    expect(await readlink(join(destination, modules, 'link.ko'))).toBe('a.ko');
    expect(await readFile(join(destination, 'firmware/fw.bin'), 'utf8')).toBe('fw');
  });

  test('has no link that leads out, and tells which it left out', async () => {
    const { destination, made } = await place([
      [
        symlink(`${modules}/kernel`, '/lib/modules/6.1/kernel'),
        symlink(`${modules}/up`, '../../../../..'),
        symlink(`${modules}/deep/er/bent`, 'here/../../../../../../../..'),
        symlink(`${modules}/deep/er/here`, `/${modules}`),
      ],
    ]);
    expect(made.outsideLinks.map(({ path, target }) => [path, target])).toEqual([
      [`${modules}/deep/er/bent`, 'here/../../../../../../../..'],
      [`${modules}/kernel`, '/lib/modules/6.1/kernel'],
      [`${modules}/up`, '../../../../..'],
    ]);
    expect(await readdir(join(destination, modules))).toEqual(['deep']);
    expect(await readlink(join(destination, modules, 'deep/er/here'))).toBe('../..');
  });

  test('keeps a link apart from the file that an upper layer writes below it', async () => {
    const { destination } = await place([[symlink(`${modules}/out`, parent)], [file(`${modules}/out/evil`, 'evil')]]);
    expect(await readFile(join(destination, modules, 'out/evil'), 'utf8')).toBe('evil');
    expect(await readdir(parent)).toEqual(['made']);
  });

  test('gives hard links a content of their own', async () => {
    const { destination, made } = await place([
      [file(`${modules}/a.ko`, 'a'), hardlink(`${modules}/b.ko`, `${modules}/a.ko`)],
    ]);
    expect(made.files).toBe(2);
    expect((await lstat(join(destination, modules, 'b.ko'))).nlink).toBe(1);
  });

  test('does not appear, nor leave a trace, when the image is refused', async () => {
    const broken = place([[file(`${modules}/a.ko`)], [{ name: `${modules}/disk`, type: 'fifo' }]]);
    await expect(broken).rejects.toMatchObject({ code: 'ImageRefused' });
    expect(await readdir(join(parent, 'made'))).toEqual([]);
  });

  test('is empty when the image holds nothing of the roots', async () => {
    const { destination, made } = await place([[file('etc/passwd')]]);
    expect(made.files).toBe(0);
    expect(await readdir(destination)).toEqual([]);
  });
});
