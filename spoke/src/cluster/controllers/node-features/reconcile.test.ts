import { NODE_NAME_LABEL, type Node, type NodeFeature } from '@kmm-hub/api-types';
import { Cache, createLogger, metricsRegistry } from '@kmm-hub/kube';
import { beforeEach, expect, test, vi } from 'vitest';
import { nodeFixture } from '../../objects.fixture.ts';
import type { NodeFeaturesDeps } from './deps.ts';
import { DroppedLabels } from './dropped-labels.ts';
import { reconcileNodeFeatures } from './reconcile.ts';

const { signal } = new AbortController();
const LABEL = 'feature.node.kubernetes.io/a';
const feature: NodeFeature = {
  metadata: { name: 'n1', namespace: 'agents', labels: { [NODE_NAME_LABEL]: 'n1' } },
  spec: { labels: { a: '1' } },
};
const [nodes, features] = [new Cache<Node>(), new Cache<NodeFeature>()];
const patch = vi.fn();
let deps: NodeFeaturesDeps;
beforeEach(() => {
  patch.mockReset();
  deps = {
    ...{ client: { patch }, nodes, features, agentNamespace: 'agents', seen: new Set() },
    dropped: new DroppedLabels(metricsRegistry()),
    log: createLogger({ process: 'test', level: 'silent', pretty: false }),
  };
  nodes.replace([nodeFixture('n1', { labels: { [LABEL]: '1' }, tracked: 'a' })]);
  features.replace([]);
});

test('labels that NFD set stay when this agent starts and finds no NodeFeature', async () => {
  await reconcileNodeFeatures(deps, 'n1', signal);
  expect(patch).not.toHaveBeenCalled();
});

test('labels go with a NodeFeature that was there and is deleted, guarded by the version of the Node', async () => {
  features.replace([feature]);
  await reconcileNodeFeatures(deps, 'n1', signal);
  expect(patch).not.toHaveBeenCalled();
  features.replace([]);
  await reconcileNodeFeatures(deps, 'n1', signal);
  const annotations = { 'nfd.node.kubernetes.io/feature-labels': null };
  const metadata = { labels: { [LABEL]: null }, annotations, resourceVersion: '7' };
  const written = { ref: { name: 'n1' }, patch: { metadata }, fieldManager: 'kmm-spoke-cluster' };
  expect(patch.mock.calls.map(([, options]) => options)).toEqual([written]);
});

test('a Node that is being deleted is left alone', async () => {
  const node = nodeFixture('n1', { labels: {} });
  nodes.replace([
    { ...node, metadata: { ...node.metadata, resourceVersion: '8', deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ]);
  features.replace([feature]);
  await reconcileNodeFeatures(deps, 'n1', signal);
  expect(patch).not.toHaveBeenCalled();
});
