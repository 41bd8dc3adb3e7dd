import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { clusterClaim, KERNEL_VERSIONS_CLAIM, lease, SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { checkout, Disposables, kubeconfigForServiceAccount, runFolder } from '@kmm-hub/lab';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { startHubPlane } from '../../lab/src/world/hub-world.ts';
import { acceptCluster, startSpokePlane } from '../../lab/src/world/spoke-world.ts';
import { eventually, joinNode, nodeOf, signal } from './cluster-world.ts';

const CLUSTER = 'spoke-a';
type Agent = RunningProcess & { /** Status and words of /readyz. */ ready(): Promise<string> };

const disposables = new Disposables();
let folder: string;
let admin: KubeClient;
let startAgent: () => Promise<Agent>;

beforeAll(async () => {
  folder = await runFolder('test-cluster-leader');
  const context = { folder, disposables, signal };
  const [hub, spoke] = await Promise.all([startHubPlane(context), startSpokePlane(CLUSTER, context)]);
  await acceptCluster({ hub, spoke }, {}, context);
  admin = new KubeClient(await loadConnection({ kubeconfig: spoke.adminKubeconfig }), 'test');
  disposables.add({ name: 'client', stop: () => admin.close() });
  const onSpoke = { plane: spoke, namespace: SPOKE_NAMESPACE, serviceAccount: 'kmm-operator-controller' };
  const onHub = { plane: hub, namespace: CLUSTER, serviceAccount: 'kmm-spoke-cluster' };
  const [own, other] = await Promise.all(
    [onSpoke, onHub].map((account) =>
      kubeconfigForServiceAccount({ ...account, file: join(folder, `${account.serviceAccount}.kubeconfig`) }),
    ),
  );
  startAgent = () => startInstance([`--kubeconfig=${own}`, `--hub-kubeconfig=${other}`, `--cluster-name=${CLUSTER}`]);
});
afterAll(async () => {
  await disposables.stopAll();
  await rm(folder, { recursive: true, force: true });
});

/** The cluster agent as a process of its own, under its two shipped roles. */
async function startInstance(where: string[]): Promise<Agent> {
  const port = await freePort();
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal });
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
  const agent = await startProcess({
    name: 'cluster agent',
    command: execPath,
    args: [join(checkout, 'spoke/src/cluster/main.ts'), ...where, `--health-port=${port}`],
    logFile: join(folder, `agent-${port}.log`),
    ready: async () => void (await ready()),
    signal,
  });
  disposables.add({ name: 'cluster agent', stop: () => agent.stop() });
  return { ...agent, ready };
}

const claimed = async () => {
  const claim = await admin.getIfPresent(clusterClaim, { name: KERNEL_VERSIONS_CLAIM }, signal);
  return claim?.spec?.value?.split('\n') ?? [];
};

test('of two cluster agents one acts, and when it stops the other one does', async () => {
  const first = await startAgent();
  await eventually(first.ready, (words) => words === '200 ok: leader');
  const second = await startAgent();
  await eventually(second.ready, (words) => words === '200 ok: standby');
  await joinNode(admin, nodeOf('node-1', {}, '6.1.0-1-amd64'));
  expect(await eventually(claimed, ({ length }) => length === 1)).toEqual(['6.1.0-1-amd64']);

  expect(await first.stop({ graceMs: 30_000 })).toEqual({ code: 0, signal: null });
  await eventually(second.ready, (words) => words === '200 ok: leader');
  await joinNode(admin, nodeOf('node-2', {}, '6.1.0-2-amd64'));
  expect(await eventually(claimed, ({ length }) => length === 2)).toEqual(['6.1.0-1-amd64', '6.1.0-2-amd64']);
  const { spec } = await admin.get(lease, { namespace: SPOKE_NAMESPACE, name: 'kmm.sigs.x-k8s.io' }, signal);
  expect(spec).toMatchObject({ leaseDurationSeconds: 10, leaseTransitions: 1 });
});
