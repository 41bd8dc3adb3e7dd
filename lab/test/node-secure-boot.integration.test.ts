import { glob, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../src/host/command.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type Kernel, newestKernel } from '../src/nodes/kernels.ts';
import { type LabNode, startNode } from '../src/nodes/node.ts';
import { makeSigningPair, type SigningPair } from '../src/world/signing-pair.ts';

type Tried = { variable: number[]; loads: Record<string, string> };

/** Tells what sysfs shows of the firmware, and what insmod says to each of the modules that it was given. */
const agentWith = (modules: Record<string, string>) => `
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
const variable = [...readFileSync('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c')];
const loads = {};
for (const [name, base64] of Object.entries(${JSON.stringify(modules)})) {
  writeFileSync('/run/module.ko', Buffer.from(base64, 'base64'));
  const { status, stderr } = spawnSync('insmod', ['/run/module.ko']);
  loads[name] = status === 0 ? 'loaded' : String(stderr).trim();
}
process.stdout.write(JSON.stringify({ variable, loads }) + '\\n');
setInterval(() => undefined, 60_000);`;

const { signal } = new AbortController(); // the limits of the tests end what hangs
const LIMIT_MS = 600_000;
let folder: string;
let kernel: Kernel;
let ours: SigningPair;
let node: LabNode;

beforeAll(async () => {
  folder = await runFolder('secure-boot-test');
  kernel = await newestKernel({ series: '6.1', signal });
  ours = await signingPair('enrolled');
  const agentEntry = join(folder, 'agent.mjs');
  await writeFile(agentEntry, agentWith(await modulesToTry()));
  node = await startNode({
    ...{ name: 'guarded', kernel, folder: join(folder, 'guarded'), cpus: 1, apiServer: { port: 1, caPem: '' } },
    ...{ token: 'a token', agentEntry, secureBoot: { trustedCertificates: [ours.certificate] }, signal },
  });
}, LIMIT_MS);

afterAll(async () => {
  await node?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, LIMIT_MS);

function signingPair(signer: string): Promise<SigningPair> {
  return makeSigningPair(signer, { folder: join(folder, signer), signal });
}

/** A module of the kernel without its signature, and with signatures of two keys, of which the firmware knows one. */
async function modulesToTry(): Promise<Record<string, string>> {
  const plain = join(folder, 'plain.ko');
  await writeFile(plain, withoutSignature(await readFile(join(kernel.modulesDir, 'kernel/lib/crc7.ko'))));
  const signedBy = async ({ key, certificate, signer }: SigningPair) => {
    const file = join(folder, `${signer}.ko`);
    await runCommand(await signFile(), ['sha256', key, certificate, plain, file], { signal });
    return (await readFile(file)).toString('base64');
  };
  const [unsigned, foreign, enrolled] = await Promise.all([
    readFile(plain, 'base64'),
    signedBy(await signingPair('unknown')),
    signedBy(ours),
  ]);
  return { unsigned, foreign, enrolled };
}

/** struct module_signature of the kernel, which ends in the length of the signature before it, and then this line. */
function withoutSignature(module: Buffer): Buffer {
  const line = '~Module signature appended~\n';
  expect(module.subarray(-line.length).toString('latin1')).toBe(line);
  const end = module.length - line.length;
  return module.subarray(0, end - 12 - module.readUInt32BE(end - 4));
}

async function signFile(): Promise<string> {
  const [found] = await Array.fromAsync(glob('/usr/lib/linux-kbuild-*/scripts/sign-file'));
  return found ?? 'sign-file';
}

describe('a node with Secure Boot', () => {
  test('runs the kernel, locked down', { timeout: LIMIT_MS }, async () => {
    expect(await node.probe.release(signal)).toBe(kernel.release);
    expect(await node.probe.secureBoot(signal)).toBe(true);
    const log = (await node.probe.kernelLog(signal)).join('\n');
    expect(log).toContain('Kernel is locked down from EFI Secure Boot');
    expect(log).toContain("Loaded X.509 cert 'enrolled: ");
  });

  test('loads a module of the enrolled key and no other, and shows the agent why', { timeout: LIMIT_MS }, async () => {
    const check = async (): Promise<Tried | undefined> => {
      const [line, rest] = (await readFile(node.agentLogFile, 'utf8')).split('\n');
      return line === undefined || rest === undefined ? undefined : JSON.parse(line);
    };
    const tried = await waitFor({ what: 'the word of the agent', check, timeoutMs: LIMIT_MS, signal });
    expect(tried).toEqual({
      variable: [6, 0, 0, 0, 1], // attributes, then the value: UEFI specification, GetVariable
      loads: {
        unsigned: expect.stringMatching(/Key was rejected by service$/),
        foreign: expect.stringMatching(/(Key was rejected by service|Required key not available)$/),
        enrolled: 'loaded',
      },
    });
  });

  test('has its keys after a reboot too', { timeout: LIMIT_MS }, async () => {
    const before = await node.probe.bootId(signal);
    await node.reboot({ signal });
    expect(await node.probe.bootId(signal)).not.toBe(before);
    expect(await node.probe.secureBoot(signal)).toBe(true);
  });
});
