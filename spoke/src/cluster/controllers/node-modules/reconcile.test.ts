import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import { Cache, createLogger, NotFoundError } from '@kmm-hub/kube';
import { beforeEach, expect, test, vi } from 'vitest';
import { clusterDefaults } from '../../defaults.ts';
import { configFixture, DRA, entryFixture, loadedFixture, moduleFixture, nodeFixture } from '../../objects.fixture.ts';
import type { NodeModulesDeps } from './deps.ts';
import { reconcileNodeModules } from './reconcile.ts';

const { signal } = new AbortController();
const entry = entryFixture();
const loaded = configFixture('n1', [entry], { status: [loadedFixture(entry)] });
const client = { create: vi.fn(), patch: vi.fn(), delete: vi.fn(), raw: vi.fn() };
const ask = vi.fn();
let told: string[];
let deps: NodeModulesDeps;
beforeEach(() => {
  vi.resetAllMocks();
  told = [];
  deps = {
    ...{ client, operatorNamespace: 'openshift-kmm', sights: new Map(), version: { ask } },
    ...{ nodes: new Cache<Node>(), modules: new Cache<Module>(), configs: new Cache<NodeModulesConfig>() },
    permissions: { mayLoad: async () => true },
    events: { record: async ({ object, type, reason }) => void told.push(`${object.metadata.name} ${type} ${reason}`) },
    log: createLogger({ process: 'test', level: 'silent', pretty: false }),
  };
  deps.nodes.replace([nodeFixture('n1')]);
  deps.modules.replace([moduleFixture()]);
});

test('a load is told as an Event of the Node, once its ready label is written', async () => {
  deps.configs.replace([loaded]);
  client.patch.mockRejectedValueOnce(new NotFoundError('PATCH', 404, {}));
  await expect(reconcileNodeModules(deps, 'n1', signal)).rejects.toThrow();
  expect(told).toEqual([]);
  await reconcileNodeModules(deps, 'n1', signal);
  await reconcileNodeModules(deps, 'n1', signal);
  expect(told).toEqual(['n1 Normal ModuleLoaded']);
});

test('a node of the same name as one that is gone has a story of its own', async () => {
  deps.configs.replace([loaded]);
  await reconcileNodeModules(deps, 'n1', signal);
  deps.nodes.replace([]);
  await reconcileNodeModules(deps, 'n1', signal);
  deps.nodes.replace([nodeFixture('n1')]);
  deps.configs.replace([]);
  await reconcileNodeModules(deps, 'n1', signal);
  expect(told).toEqual(['n1 Normal ModuleLoaded']);
});

test('a Module with dra is loaded once the cluster has been upgraded, which is looked at again', async () => {
  deps.modules.replace([moduleFixture('kmod', { spec: { dra: DRA } })]);
  ask.mockResolvedValue('v1.33.4');
  const again = { requeueAfterMs: clusterDefaults.answerLifetimeMs };
  expect(await reconcileNodeModules(deps, 'n1', signal)).toEqual(again);
  expect(client.create).not.toHaveBeenCalled();
  ask.mockResolvedValue('v1.34.0');
  expect(await reconcileNodeModules(deps, 'n1', signal)).toBeUndefined();
  expect(client.create).toHaveBeenCalledOnce();
});
