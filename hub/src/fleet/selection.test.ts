import type { ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { clusterWith, inventoryWith, moduleWith, onKubernetes } from '../test-objects.fixture.ts';
import { clusterProblem, judgeCluster, type Selection } from './selection.ts';

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

test.each<[string, Partial<ManagedClusterModuleSpec>, Selection]>([
  ['an empty selector selects every cluster', { selector: {} }, 'selected'],
  ['a selector wants every label of it', { selector: { region: 'eu', tier: 'core' } }, 'deselected'],
  ['a clusterSelector may use expressions (W22)', { clusterSelector: inEurope }, 'selected'],
  ['all selectors that are given must match', { selector: { tier: 'edge' }, clusterSelector: inAsia }, 'deselected'],
  ['a featureSelector wants a group of nodes with the features', { featureSelector: hasCard }, 'selected'],
  [
    'a feature that no group has selects nothing',
    { featureSelector: { matchLabels: { other: 'true' } } },
    'deselected',
  ],
  ['features and labels must both match', { selector: { region: 'asia' }, featureSelector: hasCard }, 'deselected'],
  ['no selector at all selects nothing', {}, 'deselected'],
  [
    'placementRefs are unknown as long as they are not evaluated',
    { selector: {}, placementRefs: [{ namespace: 'n', name: 'p' }] },
    'unknown',
  ],
  ['placementRefs alone do not select everything', { placementRefs: [{ namespace: 'n', name: 'p' }] }, 'unknown'],
  [
    'labels that do not match deselect whatever Placements say',
    { selector: { region: 'asia' }, placementRefs: [{ namespace: 'n', name: 'p' }] },
    'deselected',
  ],
])('%s', (_rule, selectors, selection) => {
  expect(judgeCluster({ spokeNamespace: 'n', ...selectors }, cluster, inventory)).toBe(selection);
});

test('a cluster is selected only once it is accepted, and no longer when it leaves', () => {
  const spec = { spokeNamespace: 'n', selector: {} };
  const leaving = { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(judgeCluster(spec, clusterWith({ accepted: false }), undefined)).toBe('deselected');
  expect(judgeCluster(spec, leaving, undefined)).toBe('deselected');
  expect(judgeCluster(spec, cluster, undefined)).toBe('selected');
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
  expect(judgeCluster({ spokeNamespace: 'n', selector: {} }, unreachable, undefined)).toBe('selected');
});

test('features of a cluster without an inventory are unknown, so that its modules stay', () => {
  expect(judgeCluster({ spokeNamespace: 'n', featureSelector: hasCard }, cluster, undefined)).toBe('unknown');
});

const withDra = moduleWith({ dra: true }).spec;
test.each<[string, Parameters<typeof clusterProblem>, string | undefined]>([
  ['a cluster below Kubernetes 1.34', [withDra, onKubernetes('v1.33.9', cluster)], 'ClusterTooOld'],
  ['a cluster with Kubernetes 1.34', [withDra, onKubernetes('v1.34.0', cluster)], undefined],
  ['a cluster that has not told its version', [withDra, cluster], undefined],
  ['a cluster that is not known', [withDra, undefined], undefined],
])('dra on %s', (_cluster, given, code) => {
  expect(clusterProblem(...given)?.code).toBe(code);
});

test.each([[moduleWith().spec], [{ spokeNamespace: 'drivers' }]])(
  'a module without dra runs on a cluster of any version',
  (spec) => {
    expect(clusterProblem(spec, onKubernetes('v1.30.0', cluster))).toBeUndefined();
  },
);
