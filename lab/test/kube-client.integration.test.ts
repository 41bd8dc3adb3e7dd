import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigMap, configMap, kubeEvent, type Node, namespace, node, type Resource } from '@kmm-hub/api-types';
import { createLogger, Discovery, EventRecorder, KubeClient, loadConnection, Reflector } from '@kmm-hub/kube';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeKubeconfig } from '../src/access/kubeconfig.ts';
import { kubeconfigForServiceAccount, tokenFor } from '../src/access/service-account.ts';
import { type FaultProxy, startFaultProxy } from '../src/faults/fault-proxy.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const log = createLogger({ process: 'test', level: 'silent', pretty: false });
let folder: string;
let plane: ControlPlane;
let proxy: FaultProxy;
let client: KubeClient;

beforeAll(async () => {
  folder = await runFolder('test-kube-client');
  plane = await startControlPlane({ name: 'client', folder: join(folder, 'plane'), signal });
  proxy = await startFaultProxy({ plane, folder });
  client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
});
afterAll(async () => {
  await client?.close();
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
  await client.create(namespace, { metadata: { name: within } }, signal);
});
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { name, namespace: within },
  data,
});
const read = (name: string) => client.getIfPresent(configMap, { namespace: within, name }, signal);
const create = (name: string, data?: Record<string, string>) => client.create(configMap, map(name, data), signal);

function using(connection: ConstructorParameters<typeof KubeClient>[0]): KubeClient {
  const made = new KubeClient(connection, 'test');
  stops.push(() => made.close());
  return made;
}

describe('an object', () => {
  test('is created, read, replaced and deleted', async () => {
    const made = await create('a', { n: '1' });
    expect(made).toMatchObject({ kind: 'ConfigMap', metadata: { uid: expect.any(String) }, data: { n: '1' } });
    expect(await read('a')).toEqual(made);
    await client.replace(configMap, { object: { ...made, data: { n: '2' } } }, signal);
    expect((await read('a'))?.data).toEqual({ n: '2' });
    expect(await client.createIfAbsent(configMap, map('a'), signal)).toBeUndefined();
    await client.delete(configMap, { namespace: within, name: 'a' }, signal);
    expect(await read('a')).toBeUndefined();
    await client.delete(configMap, { namespace: within, name: 'a' }, signal); // gone already is no error
  });

  test('is changed by a merge patch and by a JSON patch', async () => {
    const ref = { namespace: within, name: 'a' };
    await create('a', { keep: '1', drop: '2' });
    await client.patch(configMap, { ref, patch: { data: { drop: null, add: '3' } } }, signal);
    expect((await read('a'))?.data).toEqual({ keep: '1', add: '3' });
    const steps = (keep: string) => [
      { op: 'test', path: '/data/keep', value: keep },
      { op: 'replace', path: '/data/keep', value: '4' },
    ];
    await client.patch(configMap, { ref, type: 'json', patch: steps('1') }, signal);
    expect((await read('a'))?.data).toEqual({ keep: '4', add: '3' });
    const stale = client.patch(configMap, { ref, type: 'json', patch: steps('1') }, signal);
    await expect(stale).rejects.toMatchObject({ code: 'InvalidObject' });
  });

  test('that two managers apply is whose field it is, until one is forced', async () => {
    const apply = (fieldManager: string, data: Record<string, string>, force = false) =>
      client.patch(
        configMap,
        { ref: { namespace: within, name: 'a' }, patch: map('a', data), type: 'apply', fieldManager, force },
        signal,
      );
    await apply('one', { mine: '1', shared: '1' });
    await apply('two', { theirs: '2' });
    await expect(apply('two', { theirs: '2', shared: '2' })).rejects.toMatchObject({ code: 'Conflict' });
    await apply('two', { theirs: '2', shared: '2' }, true);
    expect((await read('a'))?.data).toEqual({ mine: '1', shared: '2', theirs: '2' });
    await apply('one', {}); // what it alone had goes
    expect((await read('a'))?.data).toEqual({ shared: '2', theirs: '2' });
  });

  test('has a status that only its subresource changes', async () => {
    const name = `${within}-node`;
    const made = await client.create(node, { metadata: { name } }, signal);
    const status = { nodeInfo: { kernelVersion: '6.1.0' } } as NonNullable<Node['status']>;
    const kernelOf = (object: Node) => object.status?.nodeInfo?.kernelVersion ?? '';
    expect(kernelOf(await client.patch(node, { ref: { name }, patch: { status } }, signal))).toBe('');
    const patch = { ref: { name }, patch: { status }, subresource: 'status' };
    const patched = await client.patch(node, patch, signal);
    expect(kernelOf(patched)).toBe('6.1.0');
    const next = {
      ...patched,
      status: { ...patched.status, nodeInfo: { ...status.nodeInfo, kernelVersion: '6.2.0' } },
    };
    expect(kernelOf(await client.replace(node, { object: next as Node, subresource: 'status' }, signal))).toBe('6.2.0');
    expect(made.metadata.uid).toBe(patched.metadata.uid);
  });

  test('is deleted only as the one and in the version that was meant', async () => {
    const { metadata } = await create('a');
    const { uid = '', resourceVersion = '' } = metadata;
    await client.patch(configMap, { ref: { namespace: within, name: 'a' }, patch: { data: { n: '1' } } }, signal);
    const remove = (preconditions: object) =>
      client.delete(configMap, { namespace: within, name: 'a', ...preconditions }, signal);
    await expect(remove({ uid: 'of-another' })).rejects.toMatchObject({ code: 'Conflict' });
    await expect(remove({ uid, resourceVersion })).rejects.toMatchObject({ code: 'Conflict' });
    expect(await read('a')).toBeDefined();
    await remove({ uid, propagationPolicy: 'Foreground' });
    expect((await read('a'))?.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      finalizers: ['foregroundDeletion'],
    });
  });
});

test('a list is of what its selectors name', async () => {
  await client.create(configMap, { metadata: { name: 'a', namespace: within, labels: { of: 'one' } } }, signal);
  await client.create(configMap, { metadata: { name: 'b', namespace: within, labels: { of: 'two' } } }, signal);
  const names = async (selection: object) => {
    const { items } = await client.list(configMap, { namespace: within, ...selection }, signal);
    return items.map(({ metadata: { name } }) => name);
  };
  expect(await names({})).toEqual(['a', 'b']);
  expect(await names({ labelSelector: 'of in (one,three)' })).toEqual(['a']);
  expect(await names({ fieldSelector: 'metadata.name=b' })).toEqual(['b']);
});

describe('a refusal', () => {
  const unserved: Resource = { ...configMap, group: 'nobody.example', plural: 'things' };
  test.each<[string, () => Promise<unknown>, object]>([
    [
      'of what is not there',
      () => client.get(configMap, { namespace: within, name: 'a' }, signal),
      { code: 'NotFound', status: 404 },
    ],
    ['of a kind that is not served', () => client.list(unserved, {}, signal), { code: 'NotFound', status: 404 }],
    ['of what is there already', () => create('a'), { code: 'AlreadyExists', status: 409 }],
    [
      'of an old version',
      async () => client.replace(configMap, { object: await old() }, signal),
      { code: 'Conflict', status: 409 },
    ],
    ['of a wrong name', () => create('A_B'), { code: 'InvalidObject', status: 422, retry: 'never' }],
    [
      'of what a role does not allow',
      async () => (await nobody()).list(configMap, {}, signal),
      { code: 'Forbidden', status: 403 },
    ],
    [
      'of a wrong token',
      async () => (await stranger()).list(configMap, {}, signal),
      { code: 'Forbidden', status: 401 },
    ],
  ])('%s is an error of its own', async (_what, request, error) => {
    if (_what.includes('already')) await create('a');
    await expect(request()).rejects.toMatchObject(error);
  });

  async function old(): Promise<ConfigMap> {
    const made = await create('a');
    await client.patch(configMap, { ref: { namespace: within, name: 'a' }, patch: { data: { n: '1' } } }, signal);
    return made;
  }
  async function nobody(): Promise<KubeClient> {
    await plane.kubectl(['create', 'serviceaccount', 'nobody', `--namespace=${within}`]);
    const place = { plane, namespace: within, serviceAccount: 'nobody' };
    const file = await kubeconfigForServiceAccount({ ...place, file: join(folder, `${within}.kubeconfig`) });
    return using(await loadConnection({ kubeconfig: file }));
  }
  async function stranger(): Promise<KubeClient> {
    const file = await writeKubeconfig({ plane, file: join(folder, `${within}.kubeconfig`), token: 'wrong' });
    return using(await loadConnection({ kubeconfig: file }));
  }
});

test('a kubeconfig whose token was replaced is read again when the old one is refused', async () => {
  await plane.kubectl(['create', 'serviceaccount', 'reader', `--namespace=${within}`]);
  const file = join(folder, `${within}.kubeconfig`);
  await writeKubeconfig({ plane, file, token: 'worn-out' });
  const reader = using(await loadConnection({ kubeconfig: file }));
  const whoAmI = () => reader.raw<{ gitVersion: string }>('/version', signal);
  await expect(whoAmI()).rejects.toMatchObject({ status: 401 });
  const token = await tokenFor({ plane, namespace: within, serviceAccount: 'reader' });
  await writeKubeconfig({ plane, file, token });
  await until('the new token to be read', async () => (await whoAmI()).gitVersion !== '');
});

test('where a kind is served is found out, and a new kind is known as soon as it is served', async () => {
  const discovery = new Discovery(client);
  const find = (apiVersion: string, kind: string) => discovery.find({ apiVersion, kind }, signal);
  expect(await find('v1', 'ConfigMap')).toMatchObject({ group: '', plural: 'configmaps', namespaced: true });
  expect(await find('apps/v1', 'Deployment')).toMatchObject({ group: 'apps', version: 'v1', plural: 'deployments' });
  expect(await find('rbac.authorization.k8s.io/v1', 'ClusterRole')).toMatchObject({ namespaced: false });
  expect(await find('lab.example/v1', 'Thing')).toBeUndefined();
  const schema = { openAPIV3Schema: { type: 'object' } };
  const definition = {
    metadata: { name: 'things.lab.example' },
    spec: {
      group: 'lab.example',
      names: { plural: 'things', kind: 'Thing' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const crds = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions', namespaced: false };
  await client.create({ ...crds, kind: 'CustomResourceDefinition' }, definition, signal);
  await until('the new kind', async () => (await find('lab.example/v1', 'Thing'))?.plural === 'things');
});

describe('bookmarks', () => {
  /** A server sends one shortly before it ends a watch, so a short watch sees one soon. */
  const SECONDS = 5;

  test('move the version of a watch on which nothing happens', async () => {
    const { resourceVersion } = await client.list(configMap, { namespace: within }, signal);
    const options = { namespace: within, resourceVersion, timeoutSeconds: SECONDS };
    const seen: [string, boolean][] = [];
    await until('a bookmark', async () => {
      const events = await client.watch(configMap, options, signal);
      await client.create(configMap, { metadata: { name: randomUUID(), namespace: 'default' } }, signal);
      for await (const { type, object } of events) {
        seen.push([type, Number(object.metadata.resourceVersion) > Number(resourceVersion)]);
      }
      return seen.length > 0;
    });
    expect(seen).toEqual(seen.map(() => ['BOOKMARK', true]));
  });

  test('are where a reflector resumes', async () => {
    await create('a');
    const through = using(proxy.connection);
    const select = { namespace: within };
    const timing = { watchSeconds: SECONDS };
    const reflector = new Reflector({ client: through, resource: configMap, select, log, timing });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    stops.push(async () => {
      stop.abort();
      await running;
    });
    await until('the first list', () => reflector.cache.synced);
    const { metadata } = await client.create(
      configMap,
      { metadata: { name: `far-${within}`, namespace: 'default' } },
      signal,
    );
    const versions = () =>
      proxy.requests
        .filter(({ watch, path }) => watch && path.includes(`/${within}/`))
        .flatMap(({ path }) => new URL(path, 'https://x').searchParams.get('resourceVersion') ?? []);
    await until('a watch from a bookmark', () =>
      versions().some((version) => Number(version) >= Number(metadata.resourceVersion)),
    );
    expect(reflector.cache.size).toBe(1); // no event of its own has moved it
  });
});

test('an abort ends a request that is under way, with its reason', async () => {
  const through = using(proxy.connection);
  const stop = new AbortController();
  const [arrived, reason] = [Promise.withResolvers<void>(), new Error('not wanted any more')];
  proxy.decide = ({ path }) => {
    if (!path.includes(within)) return undefined;
    arrived.resolve();
    return { kind: 'stall' };
  };
  stops.push(async () => {
    proxy.decide = () => undefined;
  });
  const writing = through.create(configMap, map('a'), stop.signal);
  await arrived.promise;
  stop.abort(reason);
  await expect(writing).rejects.toBe(reason);
  expect(await read('a')).toBeUndefined();
});

test('an event that repeats is one Event with a count, and many that differ in their words become one', async () => {
  const events = new EventRecorder({ client, component: 'test', log });
  const about = { resource: configMap, object: await create('a'), type: 'Warning' } as const;
  for (let times = 0; times < 3; times += 1) {
    await events.record({ ...about, reason: 'Repeats', message: 'again' }, signal);
  }
  for (let times = 0; times < 14; times += 1) {
    await events.record({ ...about, reason: 'Differs', message: `for the ${times}. time` }, signal);
  }
  const { items } = await client.list(kubeEvent, { namespace: within }, signal);
  const told = items.map(({ reason, message, count }) => `${reason}: ${message}: ${count}`).sort();
  expect(told).toEqual(
    [
      'Repeats: again: 3',
      ...Array.from({ length: 10 }, (_, times) => `Differs: for the ${times}. time: 1`),
      'Differs: (combined from similar events) for the 13. time: 4',
    ].sort(),
  );
});

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const check = async () => ((await holds()) ? true : undefined);
  await waitFor({ what, check, timeoutMs: 120_000, intervalMs: 20, signal });
}
