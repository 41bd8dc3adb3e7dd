import { expect, test } from 'vitest';
import { hostTree, type Tree } from '../features/test/host-tree.ts';
import { nodeResourceTopologyFor } from './node-resource-topology.ts';
import { discoverNumaZones } from './numa-zones.ts';

const NODES = 'sys/devices/system/node';

function node(
  id: number,
  { cpus, distance, kilobytes = 4 }: { cpus: number[]; distance: string; kilobytes?: number },
): Tree {
  const folder = `${NODES}/node${id}`;
  return {
    [`${folder}/meminfo`]: `\nNode ${id} MemTotal:       ${kilobytes} kB\nNode ${id} MemFree:        1 kB\n`,
    [`${folder}/distance`]: `${distance}\n`,
    [`${folder}/cpulist`]: 'not read\n',
    ...Object.fromEntries(cpus.map((cpu) => [`${folder}/cpu${cpu}/topology/core_id`, `${cpu}\n`])),
  };
}

async function topologyOf(tree: Tree) {
  await using root = await hostTree(tree);
  return nodeResourceTopologyFor('node-a', await discoverNumaZones(root.host, AbortSignal.timeout(60_000)));
}

const amount = (name: string, quantity: string) => ({
  name,
  capacity: quantity,
  allocatable: quantity,
  available: quantity,
});

test('makes a v1alpha2 object of two zones, quantities as integers', async () => {
  const tree = {
    ...node(0, { cpus: [0, 1, 10], distance: '10 20', kilobytes: 8 }),
    ...node(1, { cpus: [2, 3], distance: '20 10' }),
    [`${NODES}/node0/cpu1/online`]: '0\n',
    [`${NODES}/node0/cpu10/online`]: '1\n',
    [`${NODES}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: '3\n',
    [`${NODES}/node0/hugepages/hugepages-1048576kB/nr_hugepages`]: '0\n',
    [`${NODES}/has_cpu`]: '0-1\n',
  };
  expect(await topologyOf(tree)).toEqual({
    apiVersion: 'topology.node.k8s.io/v1alpha2',
    kind: 'NodeResourceTopology',
    metadata: { name: 'node-a' },
    topologyPolicies: ['None'],
    attributes: [
      { name: 'topologyManagerPolicy', value: 'none' },
      { name: 'topologyManagerScope', value: 'container' },
    ],
    zones: [
      {
        name: 'node-0',
        type: 'Node',
        costs: [
          { name: 'node-0', value: 10 },
          { name: 'node-1', value: 20 },
        ],
        resources: [amount('cpu', '2'), amount('hugepages-2Mi', '6291456'), amount('memory', '8192')],
      },
      {
        name: 'node-1',
        type: 'Node',
        costs: [
          { name: 'node-0', value: 20 },
          { name: 'node-1', value: 10 },
        ],
        resources: [amount('cpu', '2'), amount('memory', '4096')],
      },
    ],
  });
});

test('G142 names zones and costs by the ids of the nodes, gaps and all', async () => {
  const tree = { ...node(0, { cpus: [0, 1], distance: '10 40' }), ...node(8, { cpus: [2, 3], distance: '40 10' }) };
  const { zones } = await topologyOf(tree);
  const costs = zones.map(({ name, costs: found }) => [
    name,
    ...(found ?? []).map((cost) => `${cost.name}=${cost.value}`),
  ]);
  expect(costs).toEqual([
    ['node-0', 'node-0=10', 'node-8=40'],
    ['node-8', 'node-0=40', 'node-8=10'],
  ]);
  expect(zones.map(({ resources }) => resources?.[0])).toEqual([amount('cpu', '2'), amount('cpu', '2')]);
});

test('orders zones by number, and has one of memory only', async () => {
  const three = { distance: '10 10 10', cpus: [] };
  const { zones } = await topologyOf({ ...node(10, three), ...node(9, three), ...node(0, { ...three, cpus: [0] }) });
  expect(zones.map(({ name, resources }) => [name, resources?.[0]?.capacity])).toEqual([
    ['node-0', '1'],
    ['node-9', '0'],
    ['node-10', '0'],
  ]);
});

test('has one zone on a kernel without NUMA', async () => {
  const { zones } = await topologyOf({
    'sys/devices/system/cpu/online': '0-2,5\n',
    'proc/meminfo': 'MemTotal:   16 kB\n',
  });
  expect(zones).toEqual([
    {
      name: 'node-0',
      type: 'Node',
      costs: [{ name: 'node-0', value: 10 }],
      resources: [amount('cpu', '4'), amount('memory', '16384')],
    },
  ]);
});

test('reports no half of a topology when a zone cannot be read', async () => {
  const tree = { ...node(0, { cpus: [0], distance: '10 20' }), [`${NODES}/node1/distance`]: '20 10\n' };
  await expect(topologyOf(tree)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['single-numa-node', 'container', 'SingleNUMANodeContainerLevel'],
  ['restricted', 'pod', 'RestrictedPodLevel'],
  ['best-effort', 'pod', 'BestEffortPodLevel'],
  ['none', 'pod', 'None'],
  ['restricted', 'other', 'None'],
])('G146 writes policy %s, scope %s as %s', (policy, scope, want) => {
  const { attributes, topologyPolicies } = nodeResourceTopologyFor('node-a', [], { policy, scope });
  expect(topologyPolicies).toEqual([want]);
  expect(attributes).toEqual([
    { name: 'topologyManagerPolicy', value: policy },
    { name: 'topologyManagerScope', value: scope },
  ]);
});

test('adds the core lists of a hybrid CPU in order', () => {
  const coreLists = { cpu_core: '0-3', cpu_atom: '4-7' };
  expect(nodeResourceTopologyFor('node-a', [], { coreLists }).attributes?.slice(2)).toEqual([
    { name: 'cpu_atom', value: '4-7' },
    { name: 'cpu_core', value: '0-3' },
  ]);
});
