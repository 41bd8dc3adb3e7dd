import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { configMap, namespace } from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeKubeconfig } from '../src/access/kubeconfig.ts';
import { tokenFor } from '../src/access/service-account.ts';
import { type FaultProxy, startFaultProxy } from '../src/faults/fault-proxy.ts';
import { startProcess } from '../src/host/process.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const program = new URL('../../kube/test/reflector-process.ts', import.meta.url).pathname;
const WITHIN = 'large';
/** Together twice what the process under test may use. */
const OBJECTS = { count: 400, size: 300_000 };
const HEAP_MIB = 64;
let folder: string;
let plane: ControlPlane;
let proxy: FaultProxy;
let kubeconfig: string;

beforeAll(async () => {
  folder = await runFolder('test-memory');
  plane = await startControlPlane({ name: 'memory', folder: join(folder, 'plane'), signal });
  proxy = await startFaultProxy({ plane, folder });
  const client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
  await client.create(namespace, { metadata: { name: WITHIN } }, signal);
  const data = { large: 'x'.repeat(OBJECTS.size) };
  let next = 0;
  const work = async () => {
    for (let index = next++; index < OBJECTS.count; index = next++) {
      await client.create(configMap, { metadata: { name: `m${index}`, namespace: WITHIN }, data }, signal);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  await client.close();
  await plane.kubectl(['create', 'serviceaccount', 'reader', `--namespace=${WITHIN}`]);
  await plane.kubectl([
    'create',
    'role',
    'reader',
    `--namespace=${WITHIN}`,
    '--verb=list,watch',
    '--resource=configmaps',
  ]);
  const bind = ['create', 'rolebinding', 'reader', `--namespace=${WITHIN}`, '--role=reader'];
  await plane.kubectl([...bind, `--serviceaccount=${WITHIN}:reader`]);
  const token = await tokenFor({ plane, namespace: WITHIN, serviceAccount: 'reader' });
  const through = { name: 'proxy', url: proxy.url, caPem: proxy.caPem };
  kubeconfig = await writeKubeconfig({ plane: through, file: join(folder, 'kubeconfig'), token });
});
afterAll(async () => {
  await proxy?.stop();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ['as a stream', undefined],
  ['page by page', 422],
] as const)('a cache that trims what it reads needs no room for the whole list: %s', async (how, status) => {
  const from = proxy.requests.length;
  const isStream = ({ path }: { path: string }) => path.includes('sendInitialEvents');
  proxy.decide = (request) => (status !== undefined && isStream(request) ? { kind: 'answer', status } : undefined);
  const reflector = await startProcess({
    name: how,
    command: execPath,
    args: [`--max-old-space-size=${HEAP_MIB}`, program, kubeconfig, WITHIN, '20', 'names'],
    logFile: join(folder, `${how}.log`),
    signal,
  });
  expect(await reflector.exited).toEqual({ code: 0, signal: null });
  expect(await readFile(reflector.logFile, 'utf8')).toContain(`${OBJECTS.count} objects:`);
  const [first, ...more] = proxy.requests.slice(from);
  expect(first).toSatisfy(isStream);
  if (status !== undefined) expect(more.filter(({ watch }) => !watch)).toHaveLength(OBJECTS.count / 20);
});
