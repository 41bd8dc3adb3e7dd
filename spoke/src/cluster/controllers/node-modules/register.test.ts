import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import { Cache, createLogger } from '@kmm-hub/kube';
import { beforeEach, expect, test } from 'vitest';
import { BY_MODULE, modulesOf } from '../../caches.ts';
import { CORDON, configFixture, entryFixture, moduleFixture, nodeFixture } from '../../objects.fixture.ts';
import { nodeModulesController } from './register.ts';

const log = createLogger({ process: 'test', level: 'silent', pretty: false });
const unused = () => Promise.reject(new Error('no request is expected'));
let version = 0;

/** As the server sends it: every write has another version. */
function written<T extends Node | Module | NodeModulesConfig>(object: T, metadata: Partial<T['metadata']> = {}): T {
  version += 1;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version), ...metadata } };
}

function start() {
  const [nodes, modules] = [new Cache<Node>(), new Cache<Module>()];
  const configs = new Cache<NodeModulesConfig>({ indexes: { [BY_MODULE]: modulesOf } });
  const client = { create: unused, patch: unused, delete: unused, raw: unused };
  const deps = { client, nodes, modules, configs, permissions: { mayLoad: unused }, operatorNamespace: 'o', log };
  const { queue } = nodeModulesController(deps, { metrics: () => undefined });
  /** The keys that these changes ask for. */
  const keysFor = async (change: () => void) => {
    const { signal } = new AbortController();
    const drain = async () => {
      const keys: string[] = [];
      while (queue.length > 0) {
        const key = (await queue.take(signal)) as string;
        queue.done(key);
        keys.push(key);
      }
      return keys;
    };
    await drain();
    change();
    return drain();
  };
  nodes.replace([written(nodeFixture('gpu-1')), written(nodeFixture('plain-1', { labels: {} }))]);
  return { nodes, modules, configs, keysFor };
}

let world: ReturnType<typeof start>;
beforeEach(() => {
  world = start();
});

test("a kubelet's heartbeat asks for nothing", async () => {
  const { nodes, keysFor } = world;
  const heartbeat = { type: 'MODIFIED' as const, object: written(nodeFixture('gpu-1')) };
  expect(await keysFor(() => nodes.apply(heartbeat))).toEqual([]);
});

test.each([
  ['labels', nodeFixture('gpu-1', { labels: {} })],
  ['taints', nodeFixture('gpu-1', { taints: [CORDON] })],
  ['kernel', nodeFixture('gpu-1', { kernel: '6.12.0-1-amd64' })],
  ['boot', nodeFixture('gpu-1', { boot: 'boot-2' })],
])('a node with other %s is looked at', async (_what, object) => {
  const { nodes, keysFor } = world;
  expect(await keysFor(() => nodes.apply({ type: 'MODIFIED', object: written(object) }))).toEqual(['gpu-1']);
});

test('a Module touches the nodes that it selects, and those that still have it', async () => {
  const { modules, configs, keysFor } = world;
  configs.replace([written(configFixture('plain-1', [entryFixture()]))]);
  const keys = await keysFor(() => modules.apply({ type: 'ADDED', object: written(moduleFixture()) }));
  expect(keys.toSorted()).toEqual(['gpu-1', 'plain-1']);
});

test('a Module whose selector changes touches the nodes that it selected before', async () => {
  const { modules, keysFor } = world;
  modules.replace([written(moduleFixture())]);
  const object = written(moduleFixture('kmod', { spec: { selector: { gpu: 'no' } } }), { generation: 2 });
  expect(await keysFor(() => modules.apply({ type: 'MODIFIED', object }))).toEqual(['gpu-1']);
});

test('a Module whose status changes touches no node', async () => {
  const { modules, keysFor } = world;
  modules.replace([written(moduleFixture())]);
  const object = written(moduleFixture('kmod', { status: { observedGeneration: 1 } }));
  expect(await keysFor(() => modules.apply({ type: 'MODIFIED', object }))).toEqual([]);
});
