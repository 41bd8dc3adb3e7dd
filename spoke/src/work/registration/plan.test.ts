import { expect, test } from 'vitest';
import { claimsToReport } from './claims.ts';
import { clusterStatus, isAccepted, judgedHealth } from './plan.ts';
import { sumQuantities } from './quantity.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const claim = (name: string, value = 'v', labels: Record<string, string> = {}) => ({
  metadata: { name, labels },
  spec: { value },
});
const names = (list: { name: string }[]) => list.map(({ name }) => name);
const cluster = { metadata: { name: 'c1' }, spec: { hubAcceptsClient: true } };
const healthy = { healthy: true as const, version: 'v1.36.3' };

test('reserved claims come first and are not counted; of the others the first twenty by name go to the hub', () => {
  const custom = Array.from({ length: 22 }, (_, index) => claim(`c${String(index).padStart(2, '0')}`));
  const { reported, dropped } = claimsToReport([...custom.reverse(), claim('product.open-cluster-management.io')]);
  expect(names(reported)).toEqual([
    'product.open-cluster-management.io',
    ...Array.from({ length: 20 }, (_, index) => `c${String(index).padStart(2, '0')}`),
  ]);
  expect(dropped).toEqual(['c20', 'c21']);
});

test('a claim of 1,024 characters is reported, a longer or an empty one is dropped', () => {
  const claims = [claim('fits', 'ä'.repeat(1024)), claim('long', 'x'.repeat(1025)), claim('none', '')];
  expect(claimsToReport(claims)).toEqual({
    reported: [{ name: 'fits', value: 'ä'.repeat(1024) }],
    dropped: ['long', 'none'],
  });
});

test('a claim for the spoke alone stays there, and is not called dropped', () => {
  const label = { 'open-cluster-management.io/spoke-only': '' };
  expect(claimsToReport([claim('mine', 'v', label)])).toEqual({ reported: [], dropped: [] });
});

test('a healthy cluster reports version, capacity and claims', () => {
  const node = (name: string, unschedulable = false) => ({
    metadata: { name },
    spec: { unschedulable },
    status: { capacity: { cpu: '2', memory: '1Gi' }, allocatable: { cpu: '1500m', memory: '1Gi' } },
  });
  const facts = { health: healthy, claims: [claim('a')], nodes: [node('n1'), node('n2', true)] };
  expect(clusterStatus(cluster, facts, now)).toEqual({
    conditions: [
      expect.objectContaining({ type: 'ManagedClusterJoined', status: 'True', reason: 'ManagedClusterJoined' }),
      expect.objectContaining({ type: 'ManagedClusterConditionAvailable', status: 'True' }),
    ],
    version: { kubernetes: 'v1.36.3' },
    capacity: { cpu: '4', memory: '2147483648' },
    allocatable: { cpu: '1500m', memory: '1073741824' },
    clusterClaims: [{ name: 'a', value: 'v' }],
  });
});

test('an unhealthy cluster keeps what it reported, and says that it is unavailable', () => {
  const status = clusterStatus(cluster, { health: healthy, claims: [claim('a')], nodes: [] }, now);
  const health = { healthy: false as const, message: 'no answer' };
  const after = clusterStatus({ ...cluster, status }, { health, claims: [], nodes: [] }, now);
  expect(after).toMatchObject({ clusterClaims: [{ name: 'a', value: 'v' }], version: { kubernetes: 'v1.36.3' } });
  expect(after.conditions?.[1]).toMatchObject({
    status: 'False',
    reason: 'ManagedClusterKubeAPIServerUnavailable',
    message: 'The kube-apiserver is not ok: no answer',
  });
});

test('a failing API server gets 20 seconds before it counts', () => {
  const health = { healthy: false as const, message: 'x' };
  expect([judgedHealth(health, 19_999), judgedHealth(health, 20_000)]).toEqual([undefined, health]);
});

test.each([
  ['accepted', cluster, true],
  ['not accepted', { metadata: { name: 'c1' }, spec: { hubAcceptsClient: false } }, false],
  ['going away', { ...cluster, metadata: { name: 'c1', deletionTimestamp: 'x' } }, false],
  ['unknown to the hub', undefined, false],
])('a cluster that is %s reports: %s', (_what, given, want) => {
  expect(isAccepted(given)).toBe(want);
});

test.each([
  [['2', '1500m'], '3500m'],
  [['500m', '500m'], '1'],
  [['1Gi', '512Mi'], '1610612736'],
  [['1k', '1e3'], '2000'],
  [['2Ti'], '2199023255552'],
])('%j is %s in all', (parts, sum) => {
  expect(sumQuantities(parts.map((x) => ({ x })))).toEqual({ x: sum });
});

test('what is no quantity is refused', () => {
  expect(() => sumQuantities([{ cpu: '2 cores' }])).toThrow('is no quantity');
});
