import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { digestOf } from '@kmm-hub/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeLayout } from './oci-layout.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-layout-'));
  await writeFile(join(folder, 'file'), 'content');
  execFileSync('tar', ['-cf', 'rootfs.tar', 'file'], { cwd: folder });
});
afterEach(() => rm(folder, { recursive: true }));

async function layout(name: string) {
  const target = join(folder, name);
  await writeLayout({ rootfsTar: join(folder, 'rootfs.tar'), folder: target, architecture: 'amd64', signal });
  const blob = (digest: string) => join(target, 'blobs/sha256', digest.slice('sha256:'.length));
  const [image] = JSON.parse(await readFile(join(target, 'index.json'), 'utf8')).manifests;
  return { image, blob, manifest: JSON.parse(await readFile(blob(image.digest), 'utf8')) };
}

test('every blob lies under its digest with its size, and the config names the plain layer', async () => {
  const { image, manifest, blob } = await layout('one');
  for (const { digest, size } of [image, manifest.config, ...manifest.layers]) {
    expect(digestOf(await readFile(blob(digest)))).toBe(digest);
    expect((await stat(blob(digest))).size).toBe(size);
  }
  const tar = zstdDecompressSync(await readFile(blob(manifest.layers[0].digest)));
  expect(tar.equals(await readFile(join(folder, 'rootfs.tar')))).toBe(true);
  const config = JSON.parse(await readFile(blob(manifest.config.digest), 'utf8'));
  expect(config.rootfs.diff_ids).toEqual([digestOf(tar)]);
});

test('the same root file system gives the same image', async () => {
  expect((await layout('one')).image).toEqual((await layout('two')).image);
});
