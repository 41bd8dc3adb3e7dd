import { rm } from 'node:fs/promises';
import { configMap, namespace } from '@kmm-hub/api-types';
import { createLogger, KubeClient, loadConnection, Reflector } from '@kmm-hub/kube';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../src/faults/fault-proxy.ts';
import { freePort } from '../src/host/ports.ts';
import { startProcess } from '../src/host/process.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { componentProcess } from '../src/servers/control-plane-components.ts';
import { createCredentials } from '../src/servers/control-plane-credentials.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const PATIENCE = { timeout: 120_000, interval: 20 };
const WITHIN = 'paged';
const COUNT = 25;
const name = 'without-streaming';
const stops: (() => Promise<unknown>)[] = [];
let folder: string;
let proxy: FaultProxy;
let direct: KubeClient;

/** A real API server with the feature gate off, as Kubernetes 1.30, 1.31 and 1.33 have it by default. */
beforeAll(async () => {
  folder = await runFolder('test-without-streaming');
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const credentials = await createCredentials({ name, url, folder });
  const site = { ...{ name, folder, port, url }, credentials, signal };
  const apiServer = componentProcess(site, 'kube-apiserver');
  const gate = '--feature-gates=WatchList=false';
  for (const options of [componentProcess(site, 'etcd'), { ...apiServer, args: [...apiServer.args, gate] }]) {
    const process = await startProcess(options);
    stops.push(() => process.stop());
  }
  const { authority, kubeconfigs } = credentials;
  const plane = { url, caPem: authority.certPem, issueClientCertificate: authority.issue };
  proxy = await startFaultProxy({ plane, folder });
  stops.push(() => proxy.stop());
  direct = new KubeClient(await loadConnection({ kubeconfig: kubeconfigs.admin }), 'test');
  stops.push(() => direct.close());
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await rm(folder, { recursive: true, force: true });
});

test('an API server that does not offer the streaming list is asked for it once, listed page by page and followed', async () => {
  await direct.create(namespace, { metadata: { name: WITHIN } }, signal);
  const create = (index: number) =>
    direct.create(configMap, { metadata: { name: `m${index}`, namespace: WITHIN } }, signal);
  await Promise.all(Array.from({ length: COUNT }, (_, index) => create(index)));
  const client = new KubeClient(proxy.connection, 'under-test');
  const log = createLogger({ process: 'test', level: 'silent', pretty: false });
  const reflector = new Reflector({ client, resource: configMap, select: { namespace: WITHIN, pageSize: 10 }, log });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  try {
    await vi.waitFor(() => expect(reflector.cache.size).toBe(COUNT), PATIENCE);
    await create(COUNT);
    await vi.waitFor(() => expect(reflector.cache.size).toBe(COUNT + 1), PATIENCE);
  } finally {
    stop.abort();
    await running;
    await client.close();
  }
  const lists = proxy.requests.filter(({ path, watch }) => !watch || path.includes('sendInitialEvents'));
  expect(lists.map(({ watch }) => (watch ? 'stream' : 'page'))).toEqual(['stream', 'page', 'page', 'page']);
});
