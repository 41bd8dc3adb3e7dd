import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { checkout, controlPlaneProgram } from '../src/host/config.ts';
import { waitFor } from '../src/host/wait.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
/** Some 80 s on an idle machine of two cores. */
const LIMIT_MS = 1_500_000;

/** As `npm run demo -- …` starts it, setting up included. */
function demo(args: string[], env: Record<string, string> = {}) {
  return execa(process.execPath, [join(checkout, 'scripts/demo.mjs'), ...args], {
    cwd: checkout,
    reject: false,
    timeout: LIMIT_MS,
    forceKillAfterDelay: 60_000, // stopping a world in order takes a few seconds
    env,
  });
}

/** Resolves when somebody listens at the URL. */
async function connected(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  await once(socket, 'connect');
  socket.destroy();
}

test('a kept world can be looked into with the kubeconfigs it prints, and is gone once it is stopped', {
  timeout: LIMIT_MS,
}, async () => {
  let shown = '';
  const running = demo(['--keep']);
  running.stdout?.on('data', (chunk) => {
    shown += String(chunk);
  });
  const check = async () => (shown.includes('Stop it with') ? shown : undefined);
  await waitFor({ what: 'the kept world', check, timeoutMs: LIMIT_MS, signal });
  const kubeconfig = /export KUBECONFIG=(\S+) +# hub/.exec(shown)?.[1] ?? '';
  const phase = ['get', 'managedclustermodule', 'hello-kmod', '--output=jsonpath={.status.nodesAvailable}'];
  const { stdout } = await execa(controlPlaneProgram('kubectl'), phase, { env: { KUBECONFIG: kubeconfig } });
  expect(stdout).toBe('3');
  const server = /server: (\S+)/.exec(await readFile(kubeconfig, 'utf8'))?.[1] ?? '';
  running.kill('SIGTERM');
  const { exitCode, stderr } = await running;
  expect(exitCode, stderr).toBe(0);
  expect(existsSync(dirname(dirname(kubeconfig)))).toBe(false);
  await expect(connected(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a step that fails is named with its reason and the place of the logs, and the exit code is 1', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'kmm-no-cache-'));
  try {
    // past the set-up: the programs of the control plane are not in this cache
    const run = await execa(process.execPath, [join(checkout, 'lab/src/demo.ts'), '--json'], {
      cwd: checkout,
      reject: false,
      timeout: 120_000,
      env: { KMM_HUB_CACHE: empty },
    });
    const result = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect({ code: run.exitCode, ok: result.ok }).toEqual({ code: 1, ok: false });
    const [, folder = ''] =
      /^step "control plane \S+" failed: .*npm run setup.* The logs of this run are in (\S+)\.$/m.exec(run.stderr) ??
      [];
    expect(existsSync(folder)).toBe(true);
    await rm(folder, { recursive: true });
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
});
