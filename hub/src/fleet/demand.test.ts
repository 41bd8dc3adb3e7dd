import type { ManagedClusterModule } from '@kmm-hub/api-types';
import { expect, test, vi } from 'vitest';
import { clusterOn, dockerfileWith, fleetInMemory, moduleWith } from '../test-objects.fixture.ts';
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

test('clusters that share a kernel want one image', () => {
  const { demand } = world({
    modules: [moduleWith()],
    clusters: [
      ['c1', ['6.1.0']],
      ['c2', ['6.1.0', '6.2.0']],
    ],
  });
  expect([...demand.recipesOf('nic').keys()]).toEqual([idOf('nic:6.1.0'), idOf('nic:6.2.0')]);
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
  demand.recipesOf('nic');
  const plans = vi.spyOn(fleet, 'planFor');
  const looks = vi.spyOn(fleet, 'selects');
  fleet.clusters.apply({ type: 'MODIFIED', object: clusterOn('c2', ['6.1.0', '6.2.0']) });
  demand.touchCluster('nic', 'c2');
  demand.recipesOf('nic');
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
  const recipeOf = (module: string) => [...demand.recipesOf(module).values()][0] as never;
  expect(demand.recipeFor(idOf('shared:1'))?.owner.metadata.name).toBe('z-older');
  expect(demand.conflictOf(recipeOf('a-younger'))).toBe('z-older');
  expect(demand.conflictOf(recipeOf('z-older'))).toBeUndefined();
  fleet.modules.apply({ type: 'DELETED', object: older });
  demand.touch('z-older');
  expect(demand.recipeFor(idOf('shared:1'))?.owner.metadata.name).toBe('a-younger');
  expect(demand.conflictOf(recipeOf('a-younger'))).toBeUndefined();
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
  expect(
    modules.map(({ metadata }) => demand.conflictOf([...demand.recipesOf(metadata.name).values()][0] as never)),
  ).toEqual([undefined, undefined]);
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
  const conflicts = ['a', 'b'].map((cluster) => {
    const [first] = demand.plansFor('nic', cluster);
    return first?.plan.kind === 'Recipe' ? demand.conflictOf(first.plan) : 'no recipe';
  });
  expect(conflicts).toEqual(['nic', undefined]);
});

test('one target for two kernels without build and sign is no conflict', () => {
  const container = {
    build: undefined,
    kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/nic:1' }],
  } as never;
  const { demand } = world({ modules: [moduleWith({ container })], clusters: [['a', ['6.2.0', '6.1.0']]] });
  expect(demand.plansFor('nic', 'a').map(({ plan }) => plan.kind === 'Recipe' && demand.conflictOf(plan))).toEqual([
    undefined,
    undefined,
  ]);
});

test('a module that is being deleted wants nothing', () => {
  const { fleet, demand } = world({ modules: [moduleWith()], clusters: [['c1', ['6.1.0']]] });
  expect(demand.recipesOf('nic').size).toBe(1);
  const leaving = moduleWith();
  fleet.modules.apply({
    type: 'MODIFIED',
    object: { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: 'now' } },
  });
  demand.touch('nic');
  expect([demand.recipesOf('nic').size, demand.wanters(idOf('nic:6.1.0'))]).toEqual([0, []]);
});
