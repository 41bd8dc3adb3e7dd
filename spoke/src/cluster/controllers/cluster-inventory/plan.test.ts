import { ClusterInventorySpec, type NodeFeature, type NodeResourceTopology } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { configFixture, entryFixture, KERNEL, loadedFixture, nodeFixture } from '../../objects.fixture.ts';
import type { NodeSources } from './node-facts.ts';
import { inventoryLimits, planInventory } from './plan.ts';

const P = 'feature.node.kubernetes.io/';
const shape = Compile(ClusterInventorySpec);
const entry = entryFixture();
const secureBoot = (enabled: string): NodeFeature => ({
  metadata: { name: 'n1' },
  spec: { features: { attributes: { 'system.secureboot': { elements: { enabled } } } } },
});
const topology = (name: string, memory: string): NodeResourceTopology => {
  const resource = (of: string, capacity: string) => ({ name: of, capacity, allocatable: capacity, available: '0' });
  return {
    metadata: { name },
    zones: [{ name: 'node-0', type: 'Node', resources: [resource('memory', memory), resource('cpu', '2')] }],
  };
};
const alike = (name: string): NodeSources => ({
  node: nodeFixture(name, { labels: { [`${P}cpu-model`]: '7', gpu: 'yes' } }),
});
const group = {
  ...{ kernelVersion: KERNEL, architecture: 'amd64', osImage: 'Debian GNU/Linux 12 (bookworm)' },
  features: { 'cpu-model': '7' },
};
const image = entry.config.containerImage;
const bytes = (spec: ClusterInventorySpec) => Buffer.byteLength(JSON.stringify(spec));

test('nodes that look alike are one group, by any order, with at most twenty names', () => {
  const nodes = Array.from({ length: 1000 }, (_, index) => alike(`n${String(index).padStart(3, '0')}`));
  const spec = planInventory(nodes.toReversed());
  expect(spec).toEqual({
    ...{ kernelVersions: [KERNEL], nodeCount: 1000 },
    groups: [{ ...group, count: 1000, nodes: nodes.slice(0, 20).map(({ node }) => node.metadata.name) }],
  });
});

test('the largest group comes first, and other features make another group', () => {
  const gpu = { node: nodeFixture('a', { labels: { [`${P}pci-10de.present`]: 'true' } }) };
  const { groups } = planInventory([gpu, alike('b'), alike('c')]);
  expect(groups.map(({ nodes, features }) => ({ nodes, features }))).toEqual([
    { nodes: ['b', 'c'], features: { 'cpu-model': '7' } },
    { nodes: ['a'], features: { 'pci-10de.present': 'true' } },
  ]);
});

test.each([
  ['on', secureBoot('true'), { secureBoot: true }],
  ['off', secureBoot('false'), { secureBoot: false }],
  ['left out when the node does not say', { metadata: { name: 'n1' } }, {}],
  ['left out when the node says something else', secureBoot('perhaps'), {}],
])('Secure Boot is %s', (_state, feature, said) => {
  const { groups } = planInventory([{ ...alike('n1'), feature }]);
  expect(groups).toEqual([{ ...group, count: 1, nodes: ['n1'], ...said }]);
});

test('of NUMA zones a group says what is the same on all of its nodes', () => {
  const nodes = ['a', 'b'].map((name, index) => ({ ...alike(name), topology: topology(name, String(1000 + index)) }));
  const [first] = planInventory(nodes).groups;
  expect(first?.zones).toEqual([{ name: 'node-0', resources: { cpu: '2' } }]);
});

test('modules are counted by image and state', () => {
  const { config: _, ...unloaded } = loadedFixture(entry);
  const error = { reason: 'ImageNotFound', message: 'push it' };
  const configs = [
    configFixture('a', [entry], { status: [loadedFixture(entry)] }),
    configFixture('b', [entry], { status: [loadedFixture(entry)] }),
    configFixture('c', [entry]),
    configFixture('d', [entry], { status: [{ ...unloaded, error }] }),
    configFixture('e', [], { status: [loadedFixture(entry)] }),
  ];
  const [first] = planInventory(configs.map((config) => ({ ...alike(config.metadata.name), config }))).groups;
  const name = 'openshift-kmm/kmod';
  expect(first?.modules).toEqual([
    { name, state: 'ImageNotFound', count: 1 },
    { name, state: 'Pending', count: 1 },
    { name, image, state: 'Loaded', count: 2 },
    { name, image, state: 'Pending', count: 1 },
  ]);
});

test('a node that has not said its kernel is counted and in no group', () => {
  expect(planInventory([{ node: { metadata: { name: 'new' } } }])).toEqual({
    kernelVersions: [],
    nodeCount: 1,
    groups: [],
  });
});

test('a cluster with three kinds of nodes, sixty features each, takes less than 8 KiB', () => {
  const labels = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`${P}cpu-cpuid.FEATURE${index}`, 'true']),
  );
  const kinds = [{ labels }, { labels: { ...labels, [`${P}gpu`]: '1' } }, { labels, kernel: '6.1.0-54-cloud-amd64' }];
  const nodes = Array.from({ length: 300 }, (_, index) => ({ node: nodeFixture(`worker-${index}`, kinds[index % 3]) }));
  const spec = planInventory(nodes);
  expect(bytes(spec)).toBeLessThan(8 * 1024);
  expect(spec.groups.map(({ count }) => count)).toEqual([100, 100, 100]);
});

test('an inventory that is too large keeps features as long as it can, and says that it is cut', () => {
  const nodes = Array.from({ length: 60 }, (_, index) => {
    const labels = { [`${P}only-${index}`]: 'true', [`${P}shared`]: 'x'.repeat(60) };
    const name = `${'n'.repeat(200)}-${index}`;
    return ['a', 'b', 'c', 'd'].map((suffix) => ({ node: nodeFixture(`${name}-${suffix}`, { labels }) }));
  });
  const spec = planInventory(nodes.flat());
  expect(spec.truncated).toBe(true);
  expect(bytes(spec)).toBeLessThanOrEqual(inventoryLimits.bytes);
  expect(spec).toMatchObject({ nodeCount: 240, groups: [{ count: 240, features: { shared: 'x'.repeat(60) } }] });
});

const kernel = fc.integer({ min: 0, max: 99 }).map((index) => `6.1.0-${index}-${'k'.repeat(40)}`);
const labelled = fc.dictionary(
  fc.constantFrom('a', 'b', 'c').map((name) => `${P}${name.repeat(60)}`),
  fc.constantFrom('1', '2'),
);
const sources = fc
  .uniqueArray(fc.record({ id: fc.integer({ min: 0, max: 999 }), kernel, labels: labelled }), {
    selector: ({ id }) => id,
    maxLength: 150,
    size: 'max',
  })
  .map((list) => list.map(({ id, ...parts }): NodeSources => ({ node: nodeFixture(`n${id}`, parts) })));

test('no cluster makes an inventory over its limits, and no order of nodes another one', () => {
  const property = fc.property(sources, (nodes) => {
    const spec = planInventory(nodes);
    expect(bytes(spec)).toBeLessThanOrEqual(inventoryLimits.bytes);
    expect(spec.groups.length).toBeLessThanOrEqual(inventoryLimits.groups);
    expect([...shape.Errors(spec)]).toEqual([]); // the limits of the CRD
    expect(planInventory(nodes.toReversed())).toEqual(spec);
    const grouped = spec.groups.reduce((sum, { count }) => sum + count, 0);
    if (!spec.truncated) expect(grouped).toBe(nodes.length);
    const kernels = [...new Set(nodes.map(({ node }) => node.status?.nodeInfo?.kernelVersion))].sort();
    expect(spec.kernelVersions).toEqual(kernels.slice(0, inventoryLimits.kernels));
  });
  fc.assert(property, { numRuns: 50 });
});
