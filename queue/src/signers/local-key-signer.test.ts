import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalKeySigner, verifyModuleSignature } from './local-key-signer.ts';
import type { SigningMaterial } from './signing-pair.ts';

const run = promisify(execFile);
const { signal } = new AbortController(); // vitest's own limits end what hangs
const module = Buffer.from('\x7fELF a kernel module');

async function material(folder: string, name: string, newKey: string[]): Promise<SigningMaterial> {
  const [key, certificate] = [join(folder, `${name}.pem`), join(folder, `${name}.der`)];
  const request = ['req', '-x509', '-new', '-nodes', '-sha256', '-days', '2', '-subj', `/CN=${name}/`];
  await run('openssl', [...request, ...newKey, '-keyout', key, '-outform', 'DER', '-out', certificate]);
  return { privateKey: await readFile(key), certificate: await readFile(certificate) };
}

describe('the local key signer', () => {
  let folder: string;
  let rsa: SigningMaterial;
  let other: SigningMaterial;
  let ecdsa: SigningMaterial;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signer-'));
    rsa = await material(folder, 'rsa', ['-newkey', 'rsa:2048']);
    other = await material(folder, 'other', ['-newkey', 'rsa:2048']);
    ecdsa = await material(folder, 'ecdsa', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(['rsa', 'ecdsa'] as const)('signs with an %s key so that its certificate verifies it', async (kind) => {
    const pair = { rsa, ecdsa }[kind];
    const signed = await createLocalKeySigner(pair).sign(module, signal);
    expect(signed.subarray(0, module.length)).toEqual(module);
    expect(await verifyModuleSignature(signed, pair.certificate)).toBe(true);
  });

  test('does not verify another certificate, a changed module, or none at all', async () => {
    const signed = await createLocalKeySigner(rsa).sign(module, signal);
    const changed = Buffer.from(signed);
    changed[10] = (changed[10] ?? 0) ^ 1;
    expect(await verifyModuleSignature(signed, other.certificate)).toBe(false);
    expect(await verifyModuleSignature(changed, rsa.certificate)).toBe(false);
    expect(await verifyModuleSignature(module, rsa.certificate)).toBe(false);
  });

  test('replaces the signature of another key', async () => {
    const foreign = await createLocalKeySigner(other).sign(module, signal);
    const signer = createLocalKeySigner(rsa);
    expect(await signer.sign(foreign, signal)).toEqual(await signer.sign(module, signal));
  });

  test.each([
    ['gzip', gzipSync, gunzipSync],
    ['zstd', zstdCompressSync, zstdDecompressSync],
  ] as const)('signs inside of %s', async (_name, compress, decompress) => {
    const signer = createLocalKeySigner(rsa);
    const signed = await signer.sign(compress(module), signal);
    expect(decompress(signed)).toEqual(await signer.sign(module, signal));
  });

  test('refuses a module compressed with xz and says what to do', async () => {
    const xz = Buffer.from('fd377a585a000000', 'hex');
    const signing = createLocalKeySigner(rsa).sign(xz, signal);
    await expect(signing).rejects.toMatchObject({
      code: 'ModuleFormatUnsupported',
      remedy: expect.stringContaining('zstd'),
    });
  });

  test('refuses a module whose signature trailer announces more bytes than there are', async () => {
    const signed = await createLocalKeySigner(rsa).sign(module, signal);
    const signing = createLocalKeySigner(rsa).sign(signed.subarray(-60), signal);
    await expect(signing).rejects.toMatchObject({ code: 'ModuleFormatUnsupported' });
  });

  test('refuses a key that is not the one of the certificate', () => {
    const mixed = { privateKey: rsa.privateKey, certificate: other.certificate };
    expect(() => createLocalKeySigner(mixed)).toThrow(/not the one of the private key/);
  });

  test('refuses an encrypted key', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
    const pair = { privateKey: Buffer.from(encrypted), certificate: rsa.certificate };
    expect(() => createLocalKeySigner(pair)).toThrow(/encrypted/);
  });

  test('refuses a key of a kind that kernels do not check', async () => {
    const pair = await material(folder, 'ed25519', ['-newkey', 'ed25519']);
    expect(() => createLocalKeySigner(pair)).toThrow(/ed25519/);
  });

  test('never quotes key material that it cannot read', () => {
    const pair = { privateKey: Buffer.from('-----BEGIN GARBAGE hunter2'), certificate: rsa.certificate };
    expect(() => createLocalKeySigner(pair)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});
