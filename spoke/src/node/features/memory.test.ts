import { expect, test } from 'vitest';
import { memorySource } from './memory.ts';
import { allTrue, passOver, type Tree } from './test/host-tree.ts';

const HEADER = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
const PAGES = 'sys/kernel/mm/hugepages';
const FULL: Tree = {
  'sys/bus/node/devices/node0/': '',
  'sys/bus/node/devices/node1/': '',
  'proc/swaps': `${HEADER}/dev/sda2 partition 1 0 -2\n`,
  'sys/bus/nd/devices/dax0.0/devtype': 'nd_dax\n',
  'sys/bus/nd/devices/namespace0.0/devtype': 'nd_namespace_pmem\n',
  'sys/bus/nd/devices/namespace0.0/mode': 'fsdax\n',
  [`${PAGES}/hugepages-1048576kB/nr_hugepages`]: '2\n',
  [`${PAGES}/hugepages-2048kB/nr_hugepages`]: '0\n',
  [`${PAGES}/hugepages-64kB/nr_hugepages`]: '0\n',
};
const attributes = (sets: Record<string, Record<string, string>>) =>
  Object.fromEntries(Object.entries(sets).map(([name, elements]) => [name, { elements }]));

test('G50 labels NUMA, swap and non-volatile memory and names huge pages by size', async () => {
  const { labels, features } = await passOver(memorySource, FULL);
  expect(labels).toEqual(allTrue('memory-numa memory-swap memory-nv.present memory-nv.dax'));
  expect(features.attributes).toEqual(
    attributes({
      'memory.hugepages': { enabled: 'true', 'hugepages-1Gi': '2', 'hugepages-2Mi': '0', 'hugepages-64Ki': '0' },
      'memory.numa': { is_numa: 'true', node_count: '2' },
      'memory.swap': { enabled: 'true' },
    }),
  );
  expect(features.instances['memory.nv']?.elements).toEqual([
    { attributes: { devtype: 'nd_dax', name: 'dax0.0' } },
    { attributes: { devtype: 'nd_namespace_pmem', mode: 'fsdax', name: 'namespace0.0' } },
  ]);
});

test('G51 labels nothing on one NUMA node without swap', async () => {
  const { labels, features } = await passOver(memorySource, {
    'sys/bus/node/devices/node0/': '',
    'proc/swaps': HEADER,
  });
  expect(labels).toEqual({});
  expect(features.attributes).toEqual(
    attributes({
      'memory.hugepages': { enabled: 'false' },
      'memory.numa': { is_numa: 'false', node_count: '1' },
      'memory.swap': { enabled: 'false' },
    }),
  );
});

test('G52 says no more than it saw on an empty root', async () => {
  expect(await passOver(memorySource, {})).toEqual({
    labels: {},
    failed: [],
    features: {
      flags: {},
      attributes: attributes({ 'memory.hugepages': { enabled: 'false' } }),
      instances: { 'memory.nv': { elements: [] } },
    },
  });
});

test('G53 leaves an unreadable count empty', async () => {
  const { features } = await passOver(memorySource, { [`${PAGES}/hugepages-2048kB/`]: '' });
  expect(features.attributes['memory.hugepages']).toEqual({ elements: { enabled: 'false', 'hugepages-2Mi': '' } });
});
