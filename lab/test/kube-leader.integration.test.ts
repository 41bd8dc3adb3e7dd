import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { configMap, lease, namespace } from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { writeKubeconfig } from '../src/access/kubeconfig.ts';
import { tokenFor } from '../src/access/service-account.ts';
import { type RunningProcess, startProcess } from '../src/host/process.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const program = new URL('../../kube/test/leader-process.ts', import.meta.url).pathname;
const skewedClock = new URL('../../kube/test/skewed-clock.ts', import.meta.url).href;
/** Only ends what hangs. */
const LIMIT_MS = 120_000;
const HOUR_MS = 3_600_000;
/** With room for a busy machine, and short enough for a test. */
const timing = { leaseMs: 8000, renewDeadlineMs: 6500, retryMs: 500 };
let folder: string;
let plane: ControlPlane;
let client: KubeClient;
const started: RunningProcess[] = [];
const closing = new AbortController();

beforeAll(async () => {
  folder = await runFolder('test-leader');
  plane = await startControlPlane({ name: 'leader', folder: join(folder, 'plane'), signal });
  client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
});
afterAll(async () => {
  closing.abort();
  await Promise.all(started.map((process) => process.stop()));
  await client?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

type InstanceOptions = {
  timing?: object;
  /** How far its wall clock is ahead of that of the machine. */
  skewMs?: number;
  kubeconfig?: string;
};

async function startInstance(within: string, identity: string, options: InstanceOptions = {}): Promise<RunningProcess> {
  const { timing = {}, skewMs = 0, kubeconfig = plane.adminKubeconfig } = options;
  const process = await startProcess({
    name: identity,
    command: execPath,
    args: [`--import=${skewedClock}?ms=${skewMs}`, program, kubeconfig, within, identity, JSON.stringify(timing)],
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
  return waitFor({ what: `${identity} as leader`, check, timeoutMs: LIMIT_MS, intervalMs: 20, signal });
}

async function leaseOf(within: string) {
  return (await client.get(lease, { namespace: within, name: 'test' }, signal)).spec;
}

/** Waits for so many renewals from now on. */
async function untilRenewed(within: string, times: number): Promise<void> {
  const seen = new Set<string | undefined>();
  const check = async () => (seen.add((await leaseOf(within))?.renewTime).size > times ? true : undefined);
  await waitFor({ what: 'renewals', check, timeoutMs: LIMIT_MS, intervalMs: 20, signal });
}

/** Waits until the instance has seen that another leads. */
async function untilStandsBy({ name, logFile }: RunningProcess): Promise<void> {
  const check = async () => (await readFile(logFile, 'utf8')).includes('"this instance stands by"') || undefined;
  await waitFor({ what: `${name} as standby`, check, timeoutMs: LIMIT_MS, signal });
}

type Write = { writer: string; version: number };
const writesBy = (writes: readonly Write[], identity: string) => writes.filter(({ writer }) => writer === identity);

/** Every change of a ConfigMap, with who wrote it; resource versions of one etcd are one order over all kinds. */
async function recordWrites(within: string) {
  const { resourceVersion } = await client.list(configMap, { namespace: within }, signal);
  const writes: Write[] = [];
  const ending = new AbortController();
  const ended = AbortSignal.any([ending.signal, closing.signal]);
  const events = await client.watch(configMap, { namespace: within, resourceVersion, timeoutSeconds: 600 }, ended);
  const following = (async () => {
    for await (const { type, object } of events) {
      const version = Number(object.metadata.resourceVersion);
      if (type !== 'BOOKMARK') writes.push({ writer: object.data?.writer ?? '', version });
    }
  })();
  const followed = following.catch((err: unknown) => (ended.aborted ? undefined : Promise.reject(err)));
  const stop = () => {
    ending.abort();
    return followed;
  };
  return { writes, stop };
}

test.each(['first', 'second', 'third'])(
  'no write of a leader that was paused past its lease lands: %s try',
  async (round) => {
    const within = `paused-${round}`;
    await client.create(namespace, { metadata: { name: within } }, signal);
    const { writes, stop } = await recordWrites(within);
    const old = await startInstance(within, 'old', { timing });
    await untilLeads(within, 'old');
    const next = await startInstance(within, 'next', { timing });
    await waitFor({ what: 'writes', check: async () => writesBy(writes, 'old')[200], timeoutMs: LIMIT_MS, signal });
    old.kill('SIGSTOP');
    const tookOver = Number(await untilLeads(within, 'next'));
    const before = writesBy(writes, 'next').length;
    old.kill('SIGCONT');
    expect(await old.exited).toEqual({ code: 1, signal: null });
    await waitFor({
      what: 'writes',
      check: async () => writesBy(writes, 'next')[before + 100],
      timeoutMs: LIMIT_MS,
      signal,
    });
    await stop();
    expect(writesBy(writes, 'old').filter(({ version }) => version > tookOver)).toEqual([]);
    expect(await next.stop()).toEqual({ code: 0, signal: null });
    expect((await leaseOf(within))?.holderIdentity).toBe(''); // given back, so that the next one need not wait
  },
);

test.each<[string, { within: string; ofOld: number; ofNext: number }]>([
  ['ahead, another’s an hour behind', { within: 'ahead', ofOld: HOUR_MS, ofNext: -HOUR_MS }],
  ['behind, another’s an hour ahead', { within: 'behind', ofOld: -HOUR_MS, ofNext: HOUR_MS }],
])('a leader whose clock is an hour %s, leads alone until it ends, and is then replaced', async (_clocks, skew) => {
  const { within, ofOld, ofNext } = skew;
  await client.create(namespace, { metadata: { name: within } }, signal);
  const { writes, stop } = await recordWrites(within);
  const old = await startInstance(within, 'old', { timing, skewMs: ofOld });
  await untilLeads(within, 'old');
  const { metadata, spec } = await client.get(lease, { namespace: within, name: 'test' }, signal);
  const byServer = Date.parse(metadata.creationTimestamp ?? '');
  expect(Math.round((Date.parse(spec?.acquireTime ?? '') - byServer) / HOUR_MS)).toBe(ofOld / HOUR_MS);
  const next = await startInstance(within, 'next', { timing, skewMs: ofNext });
  await untilStandsBy(next);
  await untilRenewed(within, 20); // longer than the lease: by its times it ran out long ago, or never will
  expect((await leaseOf(within))?.leaseTransitions).toBe(0);
  old.kill('SIGKILL');
  await old.exited;
  await untilLeads(within, 'next');
  await waitFor({ what: 'writes', check: async () => writesBy(writes, 'next')[100], timeoutMs: LIMIT_MS, signal });
  await stop();
  const writers = writes.map(({ writer }) => writer);
  expect(writers.lastIndexOf('old')).toBeLessThan(writers.indexOf('next'));
  expect((await leaseOf(within))?.leaseTransitions).toBe(1);
  expect(await next.stop()).toEqual({ code: 0, signal: null });
});

test('a process whose clock is an hour ahead does not ask its plug-in for a token again and again', async () => {
  const within = 'plug-in';
  await client.create(namespace, { metadata: { name: within } }, signal);
  const runs = join(folder, 'plug-in-runs');
  const kubeconfig = await execKubeconfig(within, runs);
  const { writes, stop } = await recordWrites(within);
  await startInstance(within, 'ahead', { kubeconfig, skewMs: HOUR_MS });
  await waitFor({ what: 'writes', check: async () => writes[200], timeoutMs: LIMIT_MS, signal });
  await stop();
  // out of date by the clock of the process: it asks once a minute
  expect((await readFile(runs, 'utf8')).trim().split('\n').length).toBeLessThanOrEqual(3);
});

/** A kubeconfig whose user is a plug-in: it gives a real token, good for ten minutes, and notes that it was asked. */
async function execKubeconfig(within: string, runs: string): Promise<string> {
  const account = { plane, namespace: within, serviceAccount: 'writer' };
  await plane.kubectl(['create', 'serviceaccount', account.serviceAccount, `--namespace=${within}`]);
  const resources = '--resource=configmaps,leases.coordination.k8s.io';
  await plane.kubectl(['create', 'role', 'writer', `--namespace=${within}`, '--verb=*', resources]);
  const bind = ['create', 'rolebinding', 'writer', `--namespace=${within}`, '--role=writer'];
  await plane.kubectl([...bind, `--serviceaccount=${within}:${account.serviceAccount}`]);
  const expirationTimestamp = new Date(Date.now() + 600_000).toISOString();
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: await tokenFor(account), expirationTimestamp },
  };
  const file = await writeKubeconfig({ plane, file: join(folder, 'plug-in.kubeconfig'), token: '' });
  const config = parse(await readFile(file, 'utf8'));
  const script = `echo run >> ${runs}; echo '${JSON.stringify(credential)}'`;
  config.users[0].user = {
    exec: { apiVersion: credential.apiVersion, command: 'sh', args: ['-c', script], interactiveMode: 'Never' },
  };
  await writeFile(file, stringify(config));
  return file;
}

// the one claim here about time: a machine that is too busy for it gets another try
test('a leader that is killed is replaced within 15 s', { retry: 3 }, async ({ task }) => {
  const within = `killed-${task.result?.retryCount ?? 0}`;
  await client.create(namespace, { metadata: { name: within } }, signal);
  const old = await startInstance(within, 'old');
  await untilLeads(within, 'old');
  await untilStandsBy(await startInstance(within, 'next'));
  old.kill('SIGKILL');
  await old.exited;
  const killed = Date.parse((await leaseOf(within))?.renewTime ?? ''); // or a moment later
  await untilLeads(within, 'next');
  expect(Date.parse((await leaseOf(within))?.acquireTime ?? '') - killed).toBeLessThan(15_000);
});
