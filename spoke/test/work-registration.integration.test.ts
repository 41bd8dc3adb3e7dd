import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import {
  type ClusterClaim,
  clusterClaim,
  configMap,
  lease,
  type ManifestWork,
  managedCluster,
  manifestWork,
  type Resource,
} from '@kmm-hub/api-types';
import { checkout, Disposables, runFolder } from '@kmm-hub/lab';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedAccess } from '../../lab/src/conformance/agent-access.ts';
import { acceptCluster, type ConformanceWorld, startConformanceWorld } from '../../lab/src/conformance/world.ts';
import { startProcess } from '../../lab/src/host/process.ts';
import { runLeaseController } from '../../lab/src/ocm/lease-controller.ts';

// The work agent with --registration, and OCM's lease controller as the lab has it, on a hub and a spoke with API servers of
// their own. A lease of two seconds is given up after ten.

const CLUSTER = 'c1';
const patient = { timeout: 120_000, interval: 100 };
const { signal } = new AbortController(); // vitest's own limits end what hangs
const ending = new AbortController();
const disposables = new Disposables();
const works = manifestWork as Resource<ManifestWork>;
let folder: string;
let world: ConformanceWorld;

beforeAll(async () => {
  folder = await runFolder('test-registration');
  world = await startConformanceWorld({ folder, disposables, signal });
  await acceptCluster(world.hubPlane, CLUSTER);
  await changeCluster({ leaseDurationSeconds: 2 });
  const controller = runLeaseController(world.hub, ending.signal);
  disposables.add({
    name: 'lease controller',
    stop: async () => {
      ending.abort();
      await controller;
    },
  });
  const { hub, spoke } = await shippedAccess(world, { cluster: CLUSTER, folder, signal });
  const agent = await startProcess({
    name: 'work agent',
    command: execPath,
    args: [
      ...[join(checkout, 'spoke/src/work/main.ts'), '--registration', '--status-sync-interval=500ms'],
      ...[`--kubeconfig=${spoke}`, `--hub-kubeconfig=${hub}`, `--cluster-name=${CLUSTER}`],
    ],
    logFile: join(folder, 'agent.log'),
    signal,
  });
  disposables.add({ name: 'work agent', stop: () => agent.stop() });
});
afterAll(async () => {
  await disposables.stopAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const changeCluster = (spec: object) =>
  world.hub.patch(managedCluster, { ref: { name: CLUSTER }, patch: { spec } }, signal);
const statusOf = async () => (await world.hub.get(managedCluster, { name: CLUSTER }, signal)).status;
const says = async () =>
  Object.fromEntries(
    ((await statusOf())?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
const joined = { ManagedClusterJoined: 'True ManagedClusterJoined' };
const available = { ...joined, ManagedClusterConditionAvailable: 'True ManagedClusterAvailable' };

test('an accepted cluster joins, is available, and its lease is renewed', async () => {
  await expect.poll(says, patient).toEqual(available);
  const renewed = async () =>
    (await world.hub.get(lease, { namespace: CLUSTER, name: 'managed-cluster-lease' }, signal)).spec?.renewTime;
  const first = await renewed();
  await expect.poll(renewed, patient).not.toBe(first);
});

test('reserved claims come first, then twenty others by name; what is for the spoke alone stays there', async () => {
  const claim = (name: string, { value = 'v', labels = {} } = {}): ClusterClaim => ({
    metadata: { name, labels },
    spec: { value },
  });
  const long = 'k'.repeat(1024);
  const custom = Array.from({ length: 22 }, (_, index) => `c${String(index).padStart(2, '0')}.example`);
  const spokeOnly = { 'open-cluster-management.io/spoke-only': '' };
  const claims = [
    ...custom.toReversed().map((name) => claim(name, { value: name === 'c00.example' ? long : 'v' })),
    ...[claim('product.open-cluster-management.io'), claim('id.k8s.io')],
    claim('a-first-one-of-the-spoke', { labels: spokeOnly }),
  ];
  for (const object of claims) await world.spoke.create(clusterClaim, object, signal);
  const reserved = ['id.k8s.io', 'product.open-cluster-management.io'];
  await expect
    .poll(async () => (await statusOf())?.clusterClaims, patient)
    .toEqual([
      ...reserved.map((name) => ({ name, value: 'v' })),
      { name: 'c00.example', value: long },
      ...custom.slice(1, 20).map((name) => ({ name, value: 'v' })),
    ]);
});

test('a spoke that is cut off becomes Unknown, keeps what it has, and is available again when it is back', async () => {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'default' } };
  const ref = { namespace: CLUSTER, name: 'w' };
  await world.hub.create(works, { metadata: ref, spec: { workload: { manifests: [manifest] } } }, signal);
  const getKept = () => world.spoke.getIfPresent(configMap, manifest.metadata, signal);
  const applied = async () => (await world.hub.get(works, ref, signal)).status?.conditions?.[0]?.status;
  await expect.poll(applied, patient).toBe('True');
  const [kept, claims] = [await getKept(), (await statusOf())?.clusterClaims];
  world.link.cut();
  try {
    const unknown = { ...joined, ManagedClusterConditionAvailable: 'Unknown ManagedClusterLeaseUpdateStopped' };
    await expect.poll(says, patient).toEqual(unknown);
    expect(await getKept()).toEqual(kept);
    expect((await statusOf())?.clusterClaims).toEqual(claims);
    expect((await world.hub.get(works, ref, signal)).metadata.deletionTimestamp).toBeUndefined();
  } finally {
    world.link.mend();
  }
  await expect.poll(says, patient).toEqual(available);
  expect(await getKept()).toEqual(kept);
});

test('a spoke whose API server is away is not available until it is back', async () => {
  const server = world.spokePlane.component('kube-apiserver');
  await server.stop();
  await changeCluster({ leaseDurationSeconds: 3 }); // has the agent look now, not with its next check in a minute
  const unavailable = 'False ManagedClusterKubeAPIServerUnavailable';
  await expect.poll(says, patient).toEqual({ ...joined, ManagedClusterConditionAvailable: unavailable });
  await server.restart(signal);
  await expect.poll(says, patient).toEqual(available);
});
