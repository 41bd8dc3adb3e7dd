import { NODE_NAME_LABEL, type NodeFeature } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { trustedNodeFeature } from './trusted-node-feature.ts';

const feature = (name: string, namespace: string, node: string): NodeFeature => ({
  metadata: { name, namespace, labels: { [NODE_NAME_LABEL]: node } },
});

test.each([
  ['is the one that is named and labelled for it in the agents’ namespace', feature('n1', 'agents', 'n1'), true],
  ['is none that is labelled for another node', feature('n1', 'agents', 'n2'), false],
  ['is none that has another name', feature('n2', 'agents', 'n1'), false],
  ['is none of another namespace', feature('n1', 'elsewhere', 'n1'), false],
])('the NodeFeature of a node %s', (_behaviour, given, trusted) => {
  const features = new Map([[`${given.metadata.namespace}/${given.metadata.name}`, given]]);
  expect(trustedNodeFeature({ features, agentNamespace: 'agents' }, 'n1')).toBe(trusted ? given : undefined);
});
