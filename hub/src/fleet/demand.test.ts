import type { ManagedClusterModule, ModuleImageSpec } from '@kmm-hub/api-types';
import { describe, expect, test, vi } from 'vitest';
import {
  clusterOn,
  dockerfileWith,
  fleetInMemory,
  inventoryWith,
  moduleWith,
  onKubernetes,
} from '../test-objects.fixture.ts';
import { Demand } from './demand.ts';
import { moduleImageName } from './recipe.ts';

const idOf = (image: string) => moduleImageName(`r.example/${image}`);

function world({ modules, clusters }: { modules: ManagedClusterModule[]; clusters: [string, string[]][] }) {
  const fleet = fleetInMemory();
  fleet.modules.replace(modules);
  fleet.clusters.replace(clusters.map(([name, kernels]) => clusterOn(name, kernels)));
  fleet.configMaps.replace([dockerfileWith('FROM scratch'), dockerfileWith('FROM other', 'other')]);
  const demand = new Demand(fleet);
  for (const { metadata } of modules) demand.touch(metadata.name);
  return { fleet, demand };
}

/** For each kernel of the cluster the recipe that counts instead of its own. */
function conflictsOn(demand: Demand, module: string, cluster: string): (string | undefined)[] {
  return demand.plansFor(module, cluster).map(({ plan }) => {
    if (plan.kind !== 'Recipe') return plan.kind;
    const winner = demand.conflictOf(plan);
    const { kernelVersion, architecture } = winner?.recipe.spec ?? {};
    return winner && `${winner.owner.metadata.name} ${kernelVersion} ${architecture}`;
  });
}

test('clusters that share a kernel want one image', () => {
  const { demand } = world({
    modules: [moduleWith()],
    clusters: [
      ['c1', ['6.1.0']],
      ['c2', ['6.1.0', '6.2.0']],
    ],
  });
  expect(demand.imagesOf('nic')).toEqual([idOf('nic:6.1.0'), idOf('nic:6.2.0')]);
  expect(demand.clustersFor('nic', idOf('nic:6.1.0'))).toEqual(['c1', 'c2']);
  expect(demand.clustersFor('nic', idOf('nic:6.2.0'))).toEqual(['c2']);
  expect(demand.weightOf(idOf('nic:6.1.0'))).toBe(2);
  expect(demand.wanters(idOf('nic:6.1.0'))).toEqual(['nic']);
});

test('an image is wanted until the last cluster with its kernel is gone', () => {
  const { fleet, demand } = world({
    modules: [moduleWith()],
    clusters: [
      ['c1', ['6.1.0']],
      ['c2', ['6.1.0']],
    ],
  });
  for (const [cluster, wanters] of [
    ['c1', ['nic']],
    ['c2', []],
  ] as const) {
    fleet.clusters.apply({ type: 'DELETED', object: clusterOn(cluster, []) });
    demand.touchCluster('nic', cluster);
    expect(demand.wanters(idOf('nic:6.1.0'))).toEqual(wanters);
  }
  expect(demand.lastClustersOf('nic')).toEqual([]);
});

test('a change of one cluster plans that cluster alone, and a kernel that others run not at all', () => {
  const { fleet, demand } = world({
    modules: [moduleWith()],
    clusters: [
      ['c1', ['6.1.0']],
      ['c2', ['6.1.0']],
      ['c3', ['6.1.0']],
    ],
  });
  demand.imagesOf('nic');
  const plans = vi.spyOn(fleet, 'planFor');
  const looks = vi.spyOn(fleet, 'selects');
  fleet.clusters.apply({ type: 'MODIFIED', object: clusterOn('c2', ['6.1.0', '6.2.0']) });
  demand.touchCluster('nic', 'c2');
  demand.imagesOf('nic');
  expect(looks.mock.calls.map(([, cluster]) => cluster)).toEqual(['c2']);
  expect(plans.mock.calls.map(([, kernel]) => kernel)).toEqual(['6.2.0']);
});

test('of two modules with different recipes for one target the older one counts, and the younger is told of it', () => {
  const target = [{ regexp: '^.+$', containerImage: 'r.example/shared:1' }];
  const older = moduleWith({
    name: 'z-older',
    createdAt: '2025-01-01T00:00:00Z',
    container: { kernelMappings: target },
  });
  const build = { dockerfileConfigMap: { name: 'other' } };
  const younger = moduleWith({
    name: 'a-younger',
    createdAt: '2026-01-01T00:00:00Z',
    container: { kernelMappings: target, build },
  });
  const { fleet, demand } = world({ modules: [younger, older], clusters: [['c1', ['6.1.0']]] });
  const conflict = (module: string) => conflictsOn(demand, module, 'c1');
  expect(demand.recipeFor(idOf('shared:1'))?.owner.metadata.name).toBe('z-older');
  expect([conflict('a-younger'), conflict('z-older')]).toEqual([['z-older 6.1.0 amd64'], [undefined]]);
  fleet.modules.apply({ type: 'DELETED', object: older });
  demand.touch('z-older');
  expect(demand.recipeFor(idOf('shared:1'))?.owner.metadata.name).toBe('a-younger');
  expect(conflict('a-younger')).toEqual([undefined]);
});

test('two modules with one recipe for one target share it without a conflict', () => {
  const container = { kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/shared:1' }] };
  const modules = ['a', 'b'].map((name) => moduleWith({ name, container }));
  const { demand } = world({
    modules,
    clusters: [
      ['c1', ['6.1.0']],
      ['c2', ['6.1.0']],
    ],
  });
  expect(demand.wanters(idOf('shared:1'))).toEqual(['a', 'b']);
  expect([conflictsOn(demand, 'a', 'c1'), conflictsOn(demand, 'b', 'c1')]).toEqual([[undefined], [undefined]]);
  expect(demand.weightOf(idOf('shared:1'))).toBe(4);
});

test('one target for two kernels is built for the first of them, and the other one is told (W30)', () => {
  const container = { kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/nic:1' }] };
  const { demand } = world({
    modules: [moduleWith({ container })],
    clusters: [
      ['a', ['6.2.0']],
      ['b', ['6.1.0']],
    ],
  });
  expect(demand.recipeFor(idOf('nic:1'))?.recipe.spec.kernelVersion).toBe('6.1.0');
  expect(['a', 'b'].flatMap((cluster) => conflictsOn(demand, 'nic', cluster))).toEqual(['nic 6.1.0 amd64', undefined]);
});

test('one target for two kernels without build and sign is no conflict', () => {
  const container = {
    build: undefined,
    kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/nic:1' }],
  } as never;
  const { demand } = world({ modules: [moduleWith({ container })], clusters: [['a', ['6.2.0', '6.1.0']]] });
  expect(conflictsOn(demand, 'nic', 'a')).toEqual([undefined, undefined]);
});

test('who comes later never takes a target from the kernel that its image was made for', () => {
  const container = { kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/nic:1' }] };
  const { fleet, demand } = world({ modules: [moduleWith({ container })], clusters: [['a', ['6.2.0']]] });
  const made = demand.recipeFor(idOf('nic:1'))?.recipe.spec as ModuleImageSpec;
  fleet.images.apply({ type: 'ADDED', object: { metadata: { name: idOf('nic:1') }, spec: made } });
  fleet.clusters.apply({ type: 'ADDED', object: clusterOn('b', ['6.1.0']) });
  demand.touchCluster('nic', 'b');
  expect(['a', 'b'].flatMap((cluster) => conflictsOn(demand, 'nic', cluster))).toEqual([undefined, 'nic 6.2.0 amd64']);
  fleet.clusters.apply({ type: 'DELETED', object: clusterOn('a', []) });
  demand.touchCluster('nic', 'a');
  expect(conflictsOn(demand, 'nic', 'b')).toEqual([undefined]); // nobody is left whose image it was
});

describe('a kernel that nodes of two architectures run', () => {
  const group = (architecture: string) => ({
    ...{ kernelVersion: '6.8.0-40-generic', architecture, count: 1, nodes: [], features: {} },
  });
  const mixed = (container = {}) => {
    const { fleet, demand } = world({ modules: [moduleWith({ container })], clusters: [['a', ['6.8.0-40-generic']]] });
    fleet.inventories.replace([inventoryWith({ groups: [group('arm64'), group('amd64')] }, 'a')]);
    return { fleet, demand };
  };

  test('has its image made for one of them, and the other one is told', () => {
    expect(conflictsOn(mixed().demand, 'nic', 'a')).toEqual([undefined, 'nic 6.8.0-40-generic amd64']);
  });

  test('keeps the image that was made for the other one', () => {
    const { fleet, demand } = mixed();
    const spec = demand.recipeFor(idOf('nic:6.8.0-40-generic'))?.recipe.spec as ModuleImageSpec;
    const name = idOf('nic:6.8.0-40-generic');
    fleet.images.apply({ type: 'ADDED', object: { metadata: { name }, spec: { ...spec, architecture: 'arm64' } } });
    expect(conflictsOn(demand, 'nic', 'a')).toEqual(['nic 6.8.0-40-generic arm64', undefined]);
  });

  test('shares an image that is only looked up: its tag may stand for both', () => {
    expect(conflictsOn(mixed({ build: undefined }).demand, 'nic', 'a')).toEqual([undefined, undefined]);
  });
});

test('a module that is being deleted wants nothing', () => {
  const { fleet, demand } = world({ modules: [moduleWith()], clusters: [['c1', ['6.1.0']]] });
  expect(demand.imagesOf('nic')).toHaveLength(1);
  const leaving = moduleWith();
  fleet.modules.apply({
    type: 'MODIFIED',
    object: { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: 'now' } },
  });
  demand.touch('nic');
  expect([demand.imagesOf('nic'), demand.wanters(idOf('nic:6.1.0'))]).toEqual([[], []]);
});

test('a cluster that cannot run the module is selected and wants no image, until it is upgraded', () => {
  const { fleet, demand } = world({
    modules: [moduleWith({ dra: true })],
    clusters: [
      ['old', ['6.1.0', '6.2.0']],
      ['new', ['6.2.0']],
    ],
  });
  const report = (version: string) => {
    const object = onKubernetes(version, clusterOn('old', ['6.1.0', '6.2.0']));
    fleet.clusters.apply({ type: 'MODIFIED', object });
    demand.touchCluster('nic', 'old');
  };
  const stateOf = (image: string) => [demand.wanters(idOf(image)), demand.weightOf(idOf(image))];
  report('v1.33.4');
  expect([stateOf('nic:6.1.0'), stateOf('nic:6.2.0')]).toEqual([
    [[], 0],
    [['nic'], 1],
  ]);
  expect(demand.plansFor('nic', 'old')).toEqual([]);
  expect(demand.lastSelected('nic', 'old')).toBe(true);
  report('v1.34.0');
  expect([stateOf('nic:6.1.0'), stateOf('nic:6.2.0')]).toEqual([
    [['nic'], 1],
    [['nic'], 2],
  ]);
});
