import { expect, test } from 'vitest';
import { discoverFeatures } from './discover.ts';
import type { FeatureSource } from './feature-source.ts';
import { HostRoot } from './host-root.ts';
import { FeatureSourceTimeoutError } from './host-root-errors.ts';
import { kernelSource } from './kernel.ts';
import { nodeFeatureFor } from './node-feature.ts';
import { featureDefaults } from './options.ts';
import { featureSources } from './sources.ts';
import { hostTree, passOver } from './test/host-tree.ts';

const options = { ...featureDefaults, nodeName: 'node-a' };
const host = new HostRoot('/');
const { signal } = new AbortController(); // vitest's own limits end what hangs

const good: FeatureSource = {
  name: 'good',
  discover: async () => ({ flags: { 'good.set': ['b', 'a'] }, attributes: { 'good.more': { z: '1', y: '2' } } }),
  labels: () => ({ 'b.on': 'true', 'vendor.example/own': 'x', 'a.on': 'true', 'bad key': 'true', bad: 'a value' }),
};
const broken: FeatureSource = {
  name: 'broken',
  discover: async () => {
    throw new Error('no such bus');
  },
  labels: () => ({}),
};
const hanging: FeatureSource = { ...broken, name: 'hanging', discover: () => Promise.withResolvers<never>().promise };

test('gives what the other sources found when one fails', async () => {
  const discovery = await discoverFeatures({ host, options, signal, sources: [broken, good] });
  expect(discovery).toEqual({
    features: {
      flags: { 'good.set': { elements: { a: {}, b: {} } } },
      attributes: { 'good.more': { elements: { y: '2', z: '1' } } },
      instances: {},
    },
    labels: {
      'feature.node.kubernetes.io/good-a.on': 'true',
      'feature.node.kubernetes.io/good-b.on': 'true',
      'vendor.example/own': 'x',
    },
    failures: [{ source: 'broken', error: new Error('no such bus') }],
    rejected: [
      { label: 'feature.node.kubernetes.io/good-bad key', value: 'true' },
      { label: 'feature.node.kubernetes.io/good-bad', value: 'a value' },
    ],
  });
});

test('leaves a source that hangs behind', async () => {
  const brief = { ...options, sourceTimeoutMs: 20 };
  const { failures, labels } = await discoverFeatures({ host, options: brief, signal, sources: [hanging, good] });
  expect(failures).toEqual([{ source: 'hanging', error: expect.any(FeatureSourceTimeoutError) }]);
  expect(Object.keys(labels)).toHaveLength(3);
});

test('ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const pass = discoverFeatures({ host, options, signal: stop.signal, sources: [hanging, good] });
  stop.abort(new Error('the agent stops'));
  await expect(pass).rejects.toThrow('the agent stops');
});

test('writes the same text for the same node twice, whatever the order of its files', async () => {
  const files = {
    'proc/modules': 'b 1\na 1\n',
    'proc/sys/kernel/osrelease': '6.1.0\n',
    'sys/block/sda/queue/rotational': '1',
  };
  const reversed = { ...Object.fromEntries(Object.entries(files).reverse()), 'proc/modules': 'a 1\nb 1\n' };
  const texts = [files, reversed].map(async (tree) => {
    await using root = await hostTree(tree);
    const { features, labels } = await discoverFeatures({ host: root.host, options, signal });
    return JSON.stringify({ features, labels });
  });
  const [first, second] = await Promise.all(texts);
  expect(first).toBe(second);
});

test('G134 keeps a withheld set out of the object and its labels in', async () => {
  const tree = { 'proc/sys/kernel/osrelease': '6.1.0\n', 'boot/config-6.1.0': 'CONFIG_NO_HZ=y\n' };
  const { labels, features } = await passOver(kernelSource, tree, { noPublishFeatures: ['kernel.config'] });
  expect(labels['kernel-config.NO_HZ']).toBe('true');
  expect(Object.keys(features.attributes)).toEqual(['kernel.kvm', 'kernel.version']);
});

test('reads an empty root without a single label and names the sources that failed', async () => {
  await using root = await hostTree({});
  const { labels, failures } = await discoverFeatures({ host: root.host, options, signal, sources: featureSources });
  expect(labels).toEqual({});
  expect(new Set(failures.map(({ source }) => source))).toEqual(
    new Set(['cpu', 'kernel', 'network', 'pci', 'storage']),
  );
});

test('makes a NodeFeature that names its node', () => {
  const features = { flags: {}, attributes: {}, instances: {} };
  const labels = { 'feature.node.kubernetes.io/memory-numa': 'true' };
  expect(nodeFeatureFor('node-a', 'openshift-kmm', { features, labels })).toEqual({
    apiVersion: 'nfd.k8s-sigs.io/v1alpha1',
    kind: 'NodeFeature',
    metadata: {
      name: 'node-a',
      namespace: 'openshift-kmm',
      labels: { 'nfd.node.kubernetes.io/node-name': 'node-a' },
      annotations: {
        'nfd.node.kubernetes.io/worker.version': expect.stringMatching(/^v\d+\.\d+\.\d+$/),
        'hub.kmm.sigs.x-k8s.io/cpu-flags-from': 'cpuinfo',
      },
    },
    spec: { features, labels },
  });
});
