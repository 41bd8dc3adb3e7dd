import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createRegistryClient, extractToMemory, type LayerFile, type RegistryClient } from '@kmm-hub/oci';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../oci/test/docker-registry.ts';
import { createLocalKeySigner, verifyModuleSignature } from '../src/signers/local-key-signer.ts';
import { signedFilesOf, signImage } from '../src/signers/sign-image.ts';
import type { Signer } from '../src/signers/signer.ts';
import { pushFiles, temporaryFolder } from './build-fixture.ts';

const modules = 'opt/lib/modules/6.1.0-53-amd64';
const { signal } = new AbortController(); // vitest's own limits end what hangs

describe('signing an image', () => {
  let registry: DockerRegistry;
  let client: RegistryClient;
  let signer: Signer;
  let certificate: Buffer;
  let source: string;
  const module: LayerFile = { path: `${modules}/a.ko`, content: Buffer.from('module a'), mode: 0o600, uid: 7, gid: 8 };

  beforeAll(async () => {
    registry = await startDockerRegistry();
    client = createRegistryClient();
    source = `${registry.host}/unsigned/kmod:1`;
    await pushFiles(client, source, [
      module,
      { path: `${modules}/extra/b.ko`, content: Buffer.from('module b') },
      { path: `${modules}/modules.dep`, content: Buffer.from('a.ko:') },
      { path: 'bin/sh', content: Buffer.from('shell') },
    ]);
    await using folder = await temporaryFolder();
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
    const request = ['req', '-x509', '-new', '-nodes', '-sha256', '-subj', '/CN=test/', '-newkey', 'rsa:2048'];
    await promisify(execFile)('openssl', [...request, '-keyout', key, '-out', cert]);
    certificate = await readFile(cert);
    signer = createLocalKeySigner({ privateKey: await readFile(key), certificate });
  });
  afterAll(async () => {
    await client?.close();
    await registry?.[Symbol.asyncDispose]();
  });

  async function sign(filesToSign: string[]) {
    const target = `${registry.host}/signed/kmod`;
    const pulled = await client.getManifest(source, signal);
    const annotations = { 'example/content-key': 'k' };
    const signed = await signImage({ client, source: pulled, target, filesToSign, signer, annotations, signal });
    return { target, pulled, signed, image: await client.getManifest(`${target}@${signed.digest}`, signal) };
  }

  test('adds one layer with the signed files only, same mode and owner (W31), and no tag (W5)', async () => {
    const { target, pulled, signed, image } = await sign([`/${modules}/a.ko`, `/${modules}/*/b.ko`]);
    expect(signed.files.map(({ path }) => path)).toEqual([`/${modules}/a.ko`, `/${modules}/extra/b.ko`]);
    expect(image.manifest.layers).toHaveLength(pulled.manifest.layers.length + 1);
    const added = { ...image, manifest: { ...image.manifest, layers: image.manifest.layers.slice(-1) } };
    const { files } = await extractToMemory({ client, image: added, roots: ['/'], signal });
    expect(files.map(({ path, mode, uid, gid }) => ({ path, mode, uid, gid }))).toEqual([
      { path: module.path, mode: 0o600, uid: 7, gid: 8 },
      { path: `${modules}/extra/b.ko`, mode: 0o644, uid: 0, gid: 0 },
    ]);
    for (const { content } of files) expect(await verifyModuleSignature(content, certificate)).toBe(true);
    expect(image.manifest.annotations).toEqual({ 'example/content-key': 'k' });
    expect(await client.resolve(target, signal)).toBeUndefined();
  });

  test('leaves every other file of the image as it was', async () => {
    const { pulled, image } = await sign([`/${modules}/a.ko`]);
    const match = (path: string) => path !== module.path;
    const [before, after] = await Promise.all(
      [pulled, image].map((each) => extractToMemory({ client, image: each, roots: ['/'], match, signal })),
    );
    expect(after).toEqual(before);
  });

  test('can be told of again from the image alone', async () => {
    const { signed, image } = await sign([`/${modules}/extra/b.ko`, `/${modules}/a.ko`]);
    expect(await signedFilesOf({ client, image }, signal)).toEqual(signed.files);
  });

  test('gives the same image for the same input', async () => {
    const [one, two] = [await sign([`/${modules}/a.ko`]), await sign([`/${modules}/a.ko`])];
    expect(one.signed).toEqual(two.signed);
  });

  test('fails for each entry without a file, whatever the others match (W31)', async () => {
    const entries = [`/${modules}/none.ko`, `/${modules}/a.ko`];
    await expect(sign(entries)).rejects.toMatchObject({
      code: 'FileToSignMissing',
      message: `the image holds no file for /${modules}/none.ko`,
    });
  });
});
