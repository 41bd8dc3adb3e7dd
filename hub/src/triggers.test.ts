import type { ManifestWork } from '@kmm-hub/api-types';
import { beforeEach, expect, test } from 'vitest';
import { Demand } from './fleet/demand.ts';
import type { Fleet } from './fleet/fleet.ts';
import { moduleImageName } from './fleet/recipe.ts';
import {
  clusterOn,
  clusterWith,
  dockerfileWith,
  fleetInMemory,
  imageWith,
  inventoryWith,
  moduleWith,
  onKubernetes,
} from './test-objects.fixture.ts';
import { connectTriggers } from './triggers.ts';

let fleet: Fleet;
let demand: Demand;
/** Keys that were added, as `queue key`, each once. */
let added: Set<string>;
const tell = (queue: string) => (key: string) => void added.add(`${queue} ${key}`);
const tellStatus = (module: string, cluster?: string) =>
  void added.add(`status ${[module, cluster ?? []].flat().join('/')}`);

beforeEach(() => {
  fleet = fleetInMemory();
  fleet.configMaps.replace([dockerfileWith('FROM scratch')]);
  fleet.modules.replace([
    moduleWith({ name: 'nic', spec: { selector: { tier: 'edge' } } }),
    moduleWith({ name: 'gpu', spec: { selector: { tier: 'core' } } }),
  ]);
  fleet.clusters.replace([
    clusterOn('e1', ['6.1.0'], { tier: 'edge' }),
    clusterOn('e2', ['6.2.0'], { tier: 'edge' }),
    clusterOn('k1', ['6.1.0'], { tier: 'core' }),
  ]);
  demand = new Demand(fleet);
  added = new Set();
  connectTriggers({
    fleet,
    demand,
    recipes: tell('recipes'),
    images: tell('images'),
    works: tell('works'),
    status: tellStatus,
  });
  demand.imagesOf('nic'); // as the controllers do
});

function keysAfter(change: () => void): string[] {
  added.clear();
  change();
  return [...added].sort();
}
const changed = <T extends { metadata: object }>(object: T): never =>
  ({ ...object, metadata: { ...object.metadata, resourceVersion: '9', generation: 9 } }) as never;

test('a start looks at every module, image and selected cluster', () => {
  expect([...added].sort()).toEqual([
    ...['recipes gpu', 'recipes nic'],
    ...['status gpu', 'status gpu/k1', 'status nic', 'status nic/e1', 'status nic/e2'],
    ...['works gpu/k1', 'works nic/e1', 'works nic/e2'],
  ]);
});

test('new kernels of a cluster concern the modules that select it, on that cluster', () => {
  const keys = keysAfter(() =>
    fleet.clusters.apply({ type: 'MODIFIED', object: changed(clusterOn('e1', ['6.3.0'], { tier: 'edge' })) }),
  );
  expect(keys).toEqual(['recipes nic', 'status nic/e1', 'works nic/e1']);
});

test('an upgrade of a cluster concerns the modules that select it: it may run them now', () => {
  const cluster = onKubernetes('v1.34.0', clusterOn('e1', ['6.1.0'], { tier: 'edge' }));
  const keys = keysAfter(() => fleet.clusters.apply({ type: 'MODIFIED', object: changed(cluster) }));
  expect(keys).toEqual(['recipes nic', 'status nic/e1', 'works nic/e1']);
});

test('a cluster that moves from one module to another concerns both', () => {
  const keys = keysAfter(() =>
    fleet.clusters.apply({ type: 'MODIFIED', object: changed(clusterOn('e1', ['6.1.0'], { tier: 'core' })) }),
  );
  expect(keys).toEqual([
    'recipes gpu',
    'recipes nic',
    'status gpu/e1',
    'status nic/e1',
    'works gpu/e1',
    'works nic/e1',
  ]);
});

test('a cluster that goes before it has a work concerns its modules all the same', () => {
  const keys = keysAfter(() =>
    fleet.clusters.apply({ type: 'DELETED', object: changed(clusterOn('e1', [], { tier: 'edge' })) }),
  );
  expect(keys).toEqual(['recipes nic', 'status nic/e1', 'works nic/e1']);
  expect(demand.wanters(moduleImageName('r.example/nic:6.1.0'))).toEqual([]);
});

test('what a cluster reports beside labels and kernels concerns nothing', () => {
  const cluster = clusterOn('e1', ['6.1.0'], { tier: 'edge' });
  const status = { ...cluster.status, capacity: { cpu: '4' } };
  expect(keysAfter(() => fleet.clusters.apply({ type: 'MODIFIED', object: changed({ ...cluster, status }) }))).toEqual(
    [],
  );
});

test('an inventory concerns its cluster when kernels or features change, not when numbers do', () => {
  const group = { kernelVersion: '6.5.0', architecture: 'amd64', count: 1, nodes: ['n1'], features: {} };
  const inventory = inventoryWith({ groups: [group], kernelVersions: ['6.5.0'] }, 'e1');
  const apply = (object: typeof inventory) =>
    keysAfter(() => fleet.inventories.apply({ type: 'MODIFIED', object: changed(object) }));
  expect(apply(inventory)).toEqual(['recipes nic', 'status nic/e1', 'works nic/e1']);
  const grown = inventoryWith({ groups: [{ ...group, count: 2 }], kernelVersions: ['6.5.0'], nodeCount: 2 }, 'e1');
  expect(apply({ ...grown, metadata: { ...grown.metadata, resourceVersion: '10' } })).toEqual([]);
});

test('an image that is ready concerns the clusters with its kernel', () => {
  const name = moduleImageName('r.example/nic:6.2.0');
  const image = imageWith(name, 'key', { phase: 'Published' });
  const keys = keysAfter(() => fleet.images.apply({ type: 'MODIFIED', object: image }));
  expect(keys).toEqual([`images ${name}`, 'works nic/e2']);
});

test('a ConfigMap concerns the modules that name it, by its whole name', () => {
  const apply = (name: string) =>
    keysAfter(() => fleet.configMaps.apply({ type: 'MODIFIED', object: changed(dockerfileWith('FROM x', name)) }));
  expect(apply('dockerfile')).toEqual([
    ...['recipes gpu', 'recipes nic', 'status gpu', 'status nic'],
    ...['works gpu/k1', 'works nic/e1', 'works nic/e2'],
  ]);
  expect(apply('docker')).toEqual([]);
});

test('the configuration of the hub concerns every module', () => {
  const config = dockerfileWith('', 'kmm-operator-hub-manager-config');
  const keys = keysAfter(() => fleet.configMaps.apply({ type: 'MODIFIED', object: changed(config) }));
  expect(keys.filter((key) => key.startsWith('recipes'))).toEqual(['recipes gpu', 'recipes nic']);
});

test('our own write of a status is no reason to look again', () => {
  const module = moduleWith({ name: 'nic', spec: { selector: { tier: 'edge' } } });
  const written = { ...module, metadata: { ...module.metadata, resourceVersion: '9' }, status: { numberSelected: 2 } };
  expect(keysAfter(() => fleet.modules.apply({ type: 'MODIFIED', object: written }))).toEqual([]);
});

test('a module whose selector moves on concerns the clusters that it leaves, with and without a work', () => {
  const module = changed(moduleWith({ name: 'nic', spec: { selector: { tier: 'core' } } }));
  expect(keysAfter(() => fleet.modules.apply({ type: 'MODIFIED', object: module }))).toEqual([
    ...['recipes nic', 'status nic'],
    ...['works nic/e1', 'works nic/e2', 'works nic/k1'],
  ]);
});

test('feedback of a work concerns the status alone, an edit or a deletion the work too', () => {
  const metadata = {
    name: 'nic',
    namespace: 'e1',
    generation: 1,
    labels: { 'kmm.node.kubernetes.io/managedclustermodule.name': 'nic' },
  };
  const work: ManifestWork = { metadata, spec: {} };
  const at = (resourceVersion: string, overrides = {}) => ({
    ...work,
    metadata: { ...metadata, resourceVersion, ...overrides },
  });
  fleet.works.apply({ type: 'ADDED', object: at('1') });
  expect(keysAfter(() => fleet.works.apply({ type: 'MODIFIED', object: at('2') }))).toEqual(['status nic/e1']);
  expect(keysAfter(() => fleet.works.apply({ type: 'MODIFIED', object: at('3', { generation: 2 }) }))).toEqual([
    'status nic/e1',
    'works nic/e1',
  ]);
  expect(keysAfter(() => fleet.works.apply({ type: 'DELETED', object: at('4') }))).toEqual([
    'status nic/e1',
    'works nic/e1',
  ]);
});

test('a cluster that is not accepted is selected by nothing', () => {
  const object = changed(clusterWith({ name: 'new', labels: { tier: 'edge' }, accepted: false }));
  expect(keysAfter(() => fleet.clusters.apply({ type: 'ADDED', object }))).toEqual([]);
});
