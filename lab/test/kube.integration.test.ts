import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { type ConfigMap, configMap, type KubeObject, namespace } from '@kmm-hub/api-types';
import {
  createLogger,
  KubeClient,
  loadConnection,
  Reflector,
  type ReflectorOptions,
  TooManyRequestsError,
} from '@kmm-hub/kube';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compactEtcd } from '../src/faults/etcd.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../src/faults/fault-proxy.ts';
import { runCommand } from '../src/host/command.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const program = new URL('../../kube/test/reflector-process.ts', import.meta.url).pathname;
const log = createLogger({ process: 'test', level: 'silent', pretty: false });
let folder: string;
let plane: ControlPlane;
let proxy: FaultProxy;
let direct: KubeClient;
let client: KubeClient;

beforeAll(async () => {
  folder = await runFolder('test-kube');
  plane = await startControlPlane({ name: 'kube', folder: join(folder, 'plane'), signal });
  proxy = await startFaultProxy({ plane, folder });
  client = new KubeClient(proxy.connection, 'under-test', { timeoutMs: 20_000 });
  direct = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
});
afterAll(async () => {
  await Promise.all([client?.close(), direct?.close()]);
  await proxy?.stop();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Each test has a namespace of its own, so that none sees the objects of another. */
let within: string;
let number = 0;
beforeEach(async () => {
  number += 1;
  within = `t${number}`;
  await direct.create(namespace, { metadata: { name: within } }, signal);
});
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  proxy.decide = () => undefined;
  for (const stop of stops.splice(0).reverse()) await stop();
});

function map(name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace: within }, data };
}

/** Follows the namespace through the proxy, with limits short enough for a test. */
async function follow(timing: ReflectorOptions<ConfigMap>['timing'] = {}) {
  const reflector = new Reflector({
    client,
    resource: configMap,
    select: { namespace: within, pageSize: 100 },
    log,
    timing: { watchSeconds: 30, backoff: { firstMs: 20, maxMs: 200 }, ...timing },
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await running;
  });
  await until('the first list', () => reflector.cache.synced);
  return reflector;
}

function until(what: string, holds: () => boolean | Promise<boolean>): Promise<true> {
  const check = async () => ((await holds()) ? true : undefined);
  return waitFor({ what, check, timeoutMs: 120_000, intervalMs: 20, signal });
}

const sorted = (objects: KubeObject[]) =>
  objects.map(({ metadata: { name, resourceVersion } }) => `${name}@${resourceVersion}`).sort();

/** The fixed point of a cache: what a fresh list says, not merely the same number of objects. */
async function untilEqual({ cache }: Reflector<ConfigMap>): Promise<void> {
  await until('the cache to equal a fresh list', async () => {
    const { items } = await direct.list(configMap, { namespace: within }, signal);
    return sorted(items).join() === sorted(cache.list()).join();
  });
}

const asked = (from: number, kind: (request: ProxiedRequest) => boolean) => proxy.requests.slice(from).filter(kind);
const isList = ({ path, watch }: ProxiedRequest) => !watch && path.includes(`/${within}/configmaps?`);
const isFreshList = (request: ProxiedRequest) => isList(request) || request.path.includes('sendInitialEvents');
const isWatch = ({ watch }: ProxiedRequest) => watch;

describe('a watch', () => {
  test('that is cut resumes where it ended and lists nothing again', async () => {
    const reflector = await follow();
    const from = proxy.requests.length;
    for (const name of ['a', 'b', 'c']) {
      await direct.create(configMap, map(name), signal);
      proxy.cutAll();
    }
    await untilEqual(reflector);
    expect(asked(from, isFreshList)).toEqual([]);
    expect(asked(from, isWatch).length).toBeGreaterThan(0);
  });

  test('that goes silent without being closed is noticed after its limit', async () => {
    const reflector = await follow({ watchSeconds: 1, graceMs: 500 });
    proxy.stallAll();
    const from = proxy.requests.length;
    await direct.create(configMap, map('a'), signal);
    await untilEqual(reflector); // the stalled watch never tells of it: only a new one can
    expect(asked(from, isFreshList)).toEqual([]);
  });

  test('whose events come twice leaves the cache as one whose events come once', async () => {
    proxy.decide = ({ watch }) => (watch ? { kind: 'duplicate' } : undefined);
    const reflector = await follow();
    const seen: string[] = [];
    reflector.cache.onChange(({ old, current }) => seen.push(`${old?.data?.x ?? '-'}>${current?.data?.x ?? '-'}`));
    seen.length = 0;
    await direct.delete(configMap, { namespace: within, name: 'kube-root-ca.crt' }, signal);
    const made = await direct.create(configMap, map('a', { x: '1' }), signal);
    await direct.replace(configMap, { object: { ...made, data: { x: '2' } } }, signal);
    await direct.delete(configMap, { namespace: within, name: 'a' }, signal);
    await direct.create(configMap, map('a', { x: '3' }), signal);
    await untilEqual(reflector);
    expect(seen).toEqual(['->1', '1>2', '2>-', '->3']);
  });

  test('whose resource version is gone lists again, and notices what was deleted meanwhile', async () => {
    for (const name of ['stays', 'goes']) await direct.create(configMap, map(name), signal);
    const reflector = await follow();
    proxy.decide = ({ watch }) => (watch ? { kind: 'stall' } : undefined);
    proxy.cutAll();
    await direct.delete(configMap, { namespace: within, name: 'goes' }, signal);
    const from = proxy.requests.length;
    let expired = false;
    proxy.decide = ({ watch }) => {
      if (!watch || expired) return undefined;
      expired = true;
      return { kind: 'expire' };
    };
    proxy.cutAll();
    await untilEqual(reflector);
    expect(reflector.cache.get(`${within}/goes`)).toBeUndefined();
    expect(asked(from, isFreshList).length).toBe(1);
  });

  test('survives 500s and refused connections and is whole again once they end', async () => {
    const reflector = await follow();
    const from = proxy.requests.length;
    proxy.decide = () => (proxy.requests.length % 2 === 0 ? { kind: 'answer', status: 500 } : { kind: 'cut' });
    proxy.cutAll();
    await direct.create(configMap, map('a'), signal);
    await until('some faults', () => asked(from, isWatch).length > 5);
    expect(reflector.problem).toMatch(/^configmaps: /);
    proxy.decide = () => undefined;
    await untilEqual(reflector);
    await until('no reason', () => reflector.problem === undefined);
  });

  test('that is throttled comes back no sooner than the server asks', async () => {
    const reflector = await follow();
    const at: number[] = [];
    proxy.decide = ({ watch }) => {
      if (!watch) return undefined;
      at.push(performance.now());
      return at.length === 1 ? { kind: 'answer', status: 429, retryAfterSeconds: 1 } : undefined;
    };
    proxy.cutAll();
    await direct.create(configMap, map('a'), signal);
    await untilEqual(reflector);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(990); // timers and this clock round differently
  });

  test('an API server without streaming lists is listed page by page', async () => {
    await Promise.all(Array.from({ length: 250 }, (_, index) => direct.create(configMap, map(`m${index}`), signal)));
    const from = proxy.requests.length;
    proxy.decide = ({ path }) => (path.includes('sendInitialEvents') ? { kind: 'answer', status: 422 } : undefined);
    const reflector = await follow();
    await untilEqual(reflector);
    expect(asked(from, isList).length).toBe(3);
  });
});

describe('a request', () => {
  const isCreate = ({ method }: ProxiedRequest) => method === 'POST';

  test('that is throttled is repeated when it reads, and told when it writes', async () => {
    let left = 2;
    proxy.decide = ({ method }) => {
      if (method === 'GET') left -= 1;
      return left >= 0 || method === 'POST' ? { kind: 'answer', status: 429, retryAfterSeconds: 0 } : undefined;
    };
    await expect(client.get(namespace, { name: within }, signal)).resolves.toMatchObject({
      metadata: { name: within },
    });
    const creation = client.create(configMap, map('a'), signal);
    await expect(creation).rejects.toBeInstanceOf(TooManyRequestsError);
  });

  test('whose answer is lost has been done: making the object again says that it is there', async () => {
    proxy.decide = (request) => (isCreate(request) ? { kind: 'lose' } : undefined);
    await expect(client.create(configMap, map('a'), signal)).rejects.toMatchObject({ code: 'ApiServerUnreachable' });
    proxy.decide = () => undefined;
    await until('the object', async () => (await client.createIfAbsent(configMap, map('a'), signal)) === undefined);
  });

  test('in a storm of conflicts writes no stale state', async () => {
    const first = await direct.create(configMap, map('a', { n: '0' }), signal);
    await direct.replace(configMap, { object: { ...first, data: { n: '1' } } }, signal);
    const stale = client.replace(configMap, { object: { ...first, data: { n: 'stale' } } }, signal);
    await expect(stale).rejects.toMatchObject({ code: 'Conflict' });
    const deletion = client.delete(configMap, { namespace: within, name: 'a', uid: 'another' }, signal);
    await expect(deletion).rejects.toMatchObject({ code: 'Conflict' });
    expect((await direct.get(configMap, { namespace: within, name: 'a' }, signal)).data).toEqual({ n: '1' });
  });

  test('that takes longer than its limit is unreachable, and the next one is answered', async () => {
    const impatient = new KubeClient(proxy.connection, 'impatient', { timeoutMs: 1000 });
    stops.push(() => impatient.close());
    proxy.decide = () => ({ kind: 'stall' });
    const reading = impatient.get(namespace, { name: within }, signal);
    await expect(reading).rejects.toMatchObject({ code: 'ApiServerUnreachable' });
    proxy.decide = () => undefined;
    await until('an answer', async () => (await impatient.get(namespace, { name: within }, signal)) !== undefined);
  });
});

test('watches never keep requests waiting', async () => {
  const narrow = new KubeClient(proxy.connection, 'narrow', { connections: 1 });
  stops.push(() => narrow.close());
  const { resourceVersion } = await narrow.list(configMap, { namespace: within }, signal);
  const options = { namespace: within, resourceVersion, timeoutSeconds: 30 };
  const watches = await Promise.all([1, 2, 3].map(() => narrow.watch(configMap, options, signal)));
  await expect(narrow.get(namespace, { name: within }, signal)).resolves.toBeDefined();
  await Promise.all(watches.map((watch) => watch.return(undefined)));
});

test('20,000 objects arrive in pages of bounded size, and as a stream', async () => {
  const count = 20_000;
  await createMany(count);
  const pages: number[] = [];
  for await (const { items } of client.pages(configMap, { namespace: within, pageSize: 500 }, signal)) {
    pages.push(items.length);
  }
  expect(Math.max(...pages)).toBe(500);
  expect(pages.reduce((sum, size) => sum + size, 0)).toBe(count);
  const reflector = await follow();
  await untilEqual(reflector);
  expect(reflector.cache.size).toBe(count);
  const said = await runCommand(execPath, ['--expose-gc', program, plane.adminKubeconfig, within, '500', 'all']);
  process.stdout.write(`a process that follows them: ${said}\n`); // told for whoever reads, not judged
  expect(said).toContain(`${count} objects:`);
});

async function createMany(count: number): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) await direct.create(configMap, map(`m${index}`), signal);
  };
  await Promise.all(Array.from({ length: 64 }, work));
}

describe('an API server', () => {
  test('that is killed and comes back is followed again, and an unreachable one is the reason', async () => {
    const reflector = await follow();
    await plane.component('kube-apiserver').kill9();
    await until('a reason', () => reflector.problem !== undefined);
    await plane.component('kube-apiserver').restart(signal);
    await direct.create(configMap, map('after'), signal);
    await untilEqual(reflector);
    await until('no reason', () => reflector.problem === undefined);
  });

  test('whose etcd is compacted while nobody watches is listed again', async () => {
    for (const name of ['stays', 'goes']) await direct.create(configMap, map(name), signal);
    const reflector = await follow();
    proxy.decide = () => ({ kind: 'cut' });
    proxy.cutAll();
    await direct.delete(configMap, { namespace: within, name: 'goes' }, signal);
    for (const x of ['1', '2', '3']) {
      await direct.patch(configMap, { ref: { namespace: within, name: 'stays' }, patch: { data: { x } } }, signal);
    }
    await compactEtcd(plane, signal);
    await plane.component('kube-apiserver').restart(signal);
    const from = proxy.requests.length;
    proxy.decide = () => undefined;
    await untilEqual(reflector);
    expect(asked(from, isFreshList).length).toBe(1);
    expect(reflector.cache.get(`${within}/stays`)?.data).toEqual({ x: '3' });
  });
});
