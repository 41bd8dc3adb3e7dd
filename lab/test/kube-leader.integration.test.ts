import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { configMap, lease, namespace } from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../src/host/process.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const program = new URL('../../kube/test/leader-process.ts', import.meta.url).pathname;
let folder: string;
let plane: ControlPlane;
let client: KubeClient;
const started: RunningProcess[] = [];

beforeAll(async () => {
  folder = await runFolder('test-leader');
  plane = await startControlPlane({ name: 'leader', folder: join(folder, 'plane'), signal });
  client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
});
afterAll(async () => {
  await Promise.all(started.map((process) => process.stop()));
  await client?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startInstance(within: string, identity: string, timing: object = {}): Promise<RunningProcess> {
  const process = await startProcess({
    name: identity,
    command: execPath,
    args: [program, plane.adminKubeconfig, within, identity, JSON.stringify(timing)],
    logFile: join(folder, `${within}-${identity}.log`),
    signal,
  });
  started.push(process);
  return process;
}

/** Answers with the resource version of the lease's first state in which `identity` holds it. */
function untilLeads(within: string, identity: string): Promise<string> {
  const check = async () => {
    const { metadata, spec } = await client.get(lease, { namespace: within, name: 'test' }, signal);
    return spec?.holderIdentity === identity ? metadata.resourceVersion : undefined;
  };
  return waitFor({ what: `${identity} as leader`, check, timeoutMs: 20_000, intervalMs: 20, signal });
}

/** Every change of a ConfigMap, with who wrote it; resource versions of one etcd are one order over all kinds. */
async function recordWrites(within: string, stop: AbortSignal) {
  const { resourceVersion } = await client.list(configMap, { namespace: within }, signal);
  const writes: { writer: string; version: number }[] = [];
  const events = await client.watch(configMap, { namespace: within, resourceVersion, timeoutSeconds: 120 }, stop);
  const following = (async () => {
    for await (const { type, object } of events) {
      const version = Number(object.metadata.resourceVersion);
      if (type !== 'BOOKMARK') writes.push({ writer: object.data?.writer ?? '', version });
    }
  })();
  return { writes, ended: following.catch((err: unknown) => (stop.aborted ? undefined : Promise.reject(err))) };
}

test.each(['first', 'second', 'third'])(
  'no write of a leader that was paused past its lease lands: %s try',
  async (round) => {
    const within = `paused-${round}`;
    const timing = { leaseMs: 5000, renewDeadlineMs: 3800, retryMs: 500 };
    await client.create(namespace, { metadata: { name: within } }, signal);
    const stop = new AbortController();
    const { writes, ended } = await recordWrites(within, stop.signal);
    const writesOf = (identity: string) => writes.filter(({ writer }) => writer === identity);
    const old = await startInstance(within, 'old', timing);
    await untilLeads(within, 'old');
    const next = await startInstance(within, 'next', timing);
    await waitFor({ what: 'writes', check: async () => writesOf('old')[200], timeoutMs: 20_000, signal });
    old.kill('SIGSTOP');
    const tookOver = Number(await untilLeads(within, 'next'));
    const before = writesOf('next').length;
    old.kill('SIGCONT');
    expect(await old.exited).toEqual({ code: 1, signal: null });
    await waitFor({ what: 'writes', check: async () => writesOf('next')[before + 100], timeoutMs: 20_000, signal });
    stop.abort();
    await ended;
    expect(writesOf('old').filter(({ version }) => version > tookOver)).toEqual([]);
    expect(await next.stop()).toEqual({ code: 0, signal: null });
    const { spec } = await client.get(lease, { namespace: within, name: 'test' }, signal);
    expect(spec?.holderIdentity).toBe(''); // given back, so that the next one need not wait
  },
);

test('a leader that is killed is replaced within 15 s', async () => {
  const within = 'killed';
  await client.create(namespace, { metadata: { name: within } }, signal);
  const old = await startInstance(within, 'old');
  await untilLeads(within, 'old');
  await startInstance(within, 'next');
  old.kill('SIGKILL');
  await old.exited;
  const killed = performance.now();
  await untilLeads(within, 'next');
  expect(performance.now() - killed).toBeLessThan(15_000);
});
