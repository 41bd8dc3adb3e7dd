import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MissingToolError } from '@kmm-hub/api-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalKeySigner } from '../src/signers/local-key-signer.ts';

const run = promisify(execFile);
const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;
let signFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sign-file-'));
  const [found] = await Array.fromAsync(glob('/usr/lib/linux-kbuild-*/scripts/sign-file'));
  if (found === undefined) throw new MissingToolError('sign-file', 'Install it: apt-get install linux-kbuild-6.1.');
  signFile = found;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A relocatable object is all that modinfo and sign-file need of a module. */
async function compileModule(): Promise<string> {
  const [source, object] = [join(folder, 'demo.c'), join(folder, 'demo.ko')];
  await writeFile(source, '__attribute__((section(".modinfo"), used)) static const char name[] = "name=demo";');
  await run('gcc', ['-c', source, '-o', object]);
  return object;
}

test.each([
  ['of one name', '/CN=hub signing/'],
  ['with several name parts and UTF-8', '/C=DE/O=Prüfstelle/OU=Kernel modules/CN=hub'],
])(
  'a certificate %s: our bytes are those of the kernel’s sign-file, and modinfo names the signer',
  async (_case, subject) => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.der')];
    const request = ['req', '-x509', '-new', '-nodes', '-utf8', '-sha256', '-days', '2', '-subj', subject];
    await run('openssl', [...request, '-newkey', 'rsa:4096', '-keyout', key, '-outform', 'DER', '-out', certificate]);
    const module = await compileModule();
    const signer = createLocalKeySigner({ privateKey: await readFile(key), certificate: await readFile(certificate) });
    const ours = await signer.sign(await readFile(module), signal);
    await run(signFile, ['sha256', key, certificate, module]);
    expect(ours.equals(await readFile(module))).toBe(true);

    await writeFile(module, ours);
    const { stdout } = await run('/usr/sbin/modinfo', [module]);
    expect(stdout).toMatch(/^sig_id:\s+PKCS#7$/m);
    expect(stdout).toMatch(/^signer:\s+hub/m);
    expect(stdout).toMatch(/^sig_hashalgo:\s+sha256$/m);
  },
);
