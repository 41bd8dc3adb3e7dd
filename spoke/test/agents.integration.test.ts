import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { checkout, waitFor } from '@kmm-hub/lab';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../lab/src/host/ports.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-agents-'));
  kubeconfig = join(folder, 'kubeconfig');
  const server = `https://127.0.0.1:${await freePort()}`; // nothing listens there
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'c', user: { token: 'none' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  await mkdir(join(folder, 'proc/sys/kernel/random'), { recursive: true });
  await writeFile(join(folder, 'proc/sys/kernel/osrelease'), '6.1.0-53-amd64\n');
  await writeFile(join(folder, 'proc/sys/kernel/random/boot_id'), 'boot-1\n');
  await writeFile(join(folder, 'proc/modules'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(entry: string, args: string[]) {
  return execa(execPath, [join(checkout, entry), ...args], { reject: false, timeout: 250_000, cwd: folder });
}

describe.each([
  ['cluster agent', 'spoke/src/cluster/main.ts', ['--cluster-name', 'spoke-a', '--hub-kubeconfig']],
  ['work agent', 'spoke/src/work/main.ts', ['--cluster-name', 'spoke-a', '--hub-kubeconfig']],
  ['node agent', 'spoke/src/node/main.ts', ['--node-name', 'node-a', '--kubeconfig']],
])('the %s', (_name, entry, flags) => {
  const needed = (file: string) => [...flags, file, '--health-port', '0'];

  test('tells its flags on --help', async () => {
    const { exitCode, stdout, stderr } = await start(entry, ['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const flag of ['--kubeconfig', '--health-port']) expect(stdout).toContain(flag);
  });

  test('ends with one line and exit code 2 for an unknown flag', async () => {
    const { exitCode, stderr } = await start(entry, [...needed(kubeconfig), '--nope']);
    expect({ exitCode, lines: stderr.split('\n').length }).toEqual({ exitCode: 2, lines: 1 });
    expect(stderr).toContain("unknown option '--nope'");
  });

  test('ends with one line and exit code 1 for a kubeconfig that is not there', async () => {
    const { exitCode, stderr } = await start(entry, [...needed(kubeconfig), '--kubeconfig', '/nowhere/kubeconfig']);
    expect({ exitCode, lines: stderr.split('\n').length }).toEqual({ exitCode: 1, lines: 1 });
    expect(stderr).toContain('/nowhere/kubeconfig');
  });

  test('waits for an API server that is away, says so on /readyz, and stops in order on SIGTERM', async () => {
    const port = String(await freePort());
    const args = [...flags, kubeconfig, '--kubeconfig', kubeconfig, '--health-port', port, ...hostRoot(entry)];
    const running = start(entry, args);
    const check = async (limit: AbortSignal) => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: limit });
      const text = await response.text();
      return response.status === 503 && text.includes('does not answer') ? text : undefined;
    };
    const reasons = await waitFor({ what: 'a reason on /readyz', check, timeoutMs: 120_000, signal });
    expect(reasons).not.toMatch(/^\s+at /m); // a reason, no stack
    const healthz = await fetch(`http://127.0.0.1:${port}/healthz`, { signal });
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { signal });
    expect([healthz.status, metrics.status]).toEqual([200, 200]);
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
  });
});

/** The node agent keeps its state below the host root: not below the one of the machine that tests. */
function hostRoot(entry: string): string[] {
  return entry.includes('/node/') ? ['--host-root', folder] : [];
}
