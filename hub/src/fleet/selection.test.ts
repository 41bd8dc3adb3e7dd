import type { ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { clusterWith, inventoryWith } from '../test-objects.fixture.ts';
import { selectsCluster } from './selection.ts';

const cluster = clusterWith({ labels: { region: 'eu', tier: 'edge' } });
const group = {
  kernelVersion: '6.1.0',
  architecture: 'amd64',
  count: 1,
  nodes: [],
  features: { 'pci-10ee.present': 'true' },
};
const inventory = inventoryWith({ groups: [group] });
const hasCard = { matchLabels: { 'pci-10ee.present': 'true' } };
const inEurope = { matchExpressions: [{ key: 'region', operator: 'In' as const, values: ['eu'] }] };
const inAsia = { matchExpressions: [{ key: 'region', operator: 'In' as const, values: ['asia'] }] };

test.each<[string, Partial<ManagedClusterModuleSpec>, boolean]>([
  ['an empty selector selects every cluster', { selector: {} }, true],
  ['a selector wants every label of it', { selector: { region: 'eu', tier: 'core' } }, false],
  ['a clusterSelector may use expressions (W22)', { clusterSelector: inEurope }, true],
  ['all selectors that are given must match', { selector: { tier: 'edge' }, clusterSelector: inAsia }, false],
  ['a featureSelector wants a group of nodes with the features', { featureSelector: hasCard }, true],
  ['a feature that no group has selects nothing', { featureSelector: { matchLabels: { other: 'true' } } }, false],
  ['features and labels must both match', { selector: { region: 'asia' }, featureSelector: hasCard }, false],
  ['no selector at all selects nothing', {}, false],
  [
    'placementRefs select nothing as long as they are not evaluated',
    { selector: {}, placementRefs: [{ namespace: 'n', name: 'p' }] },
    false,
  ],
  ['placementRefs alone do not select everything', { placementRefs: [{ namespace: 'n', name: 'p' }] }, false],
])('%s', (_rule, selectors, selected) => {
  expect(selectsCluster({ spokeNamespace: 'n', ...selectors }, cluster, inventory)).toBe(selected);
});

test('a cluster is selected only once it is accepted, and no longer when it leaves', () => {
  const spec = { spokeNamespace: 'n', selector: {} };
  const leaving = { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(selectsCluster(spec, clusterWith({ accepted: false }), undefined)).toBe(false);
  expect(selectsCluster(spec, leaving, undefined)).toBe(false);
  expect(selectsCluster(spec, cluster, undefined)).toBe(true);
});

test('an unreachable cluster stays selected, so that its modules stay', () => {
  const condition = {
    type: 'ManagedClusterConditionAvailable',
    status: 'Unknown' as const,
    reason: 'ManagedClusterLeaseUpdateStopped',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const unreachable = { ...cluster, status: { conditions: [condition] } };
  expect(selectsCluster({ spokeNamespace: 'n', selector: {} }, unreachable, undefined)).toBe(true);
});

test('a cluster without an inventory has no features', () => {
  expect(selectsCluster({ spokeNamespace: 'n', featureSelector: hasCard }, cluster, undefined)).toBe(false);
});
