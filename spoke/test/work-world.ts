import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import {
  type AppliedManifestWork,
  appliedManifestWork,
  type ConfigMap,
  type KubeObject,
  type ManifestWork,
  type ManifestWorkSpec,
  manifestWork,
  type Resource,
} from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import {
  applyFolder,
  type ControlPlane,
  checkout,
  kubeconfigForServiceAccount,
  runFolder,
  startControlPlane,
  waitFor,
} from '@kmm-hub/lab';
import { expect } from 'vitest';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { appliedWorkName, hubHash } from '../src/work/hub-identity.ts';

export const { signal } = new AbortController(); // vitest's own limits end what hangs
export const CLUSTER = 'c1';
export const works = manifestWork as Resource<ManifestWork>;
export type Widget = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };
export const widgets: Resource<Widget> = {
  ...{ group: 'test.example', version: 'v1', kind: 'Widget', plural: 'widgets' },
  namespaced: true,
};

export type WorkWorld = {
  hub: KubeClient;
  spoke: KubeClient;
  /** Text of the agent's /metrics. */
  metrics(): Promise<string>;
  /** Stops the agent cleanly and starts it again, after `meanwhile`. */
  restartAgent(meanwhile?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
};

/** A hub and a spoke, each an API server of its own, and the agent as a process under its shipped roles. */
export async function startWorkWorld(): Promise<WorkWorld> {
  await using stack = new AsyncDisposableStack(); // ends what did start when something does not
  const folder = await runFolder('test-work');
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const hubPlane = stack.use(await startControlPlane({ name: 'hub', folder: join(folder, 'hub'), signal }));
  const spokeSite = { name: 'spoke', folder: join(folder, 'spoke'), signal };
  // the controller manager fills in aggregated roles, the agent's among them
  const spokePlane = stack.use(await startControlPlane({ ...spokeSite, controllerManager: true }));
  await Promise.all([prepareHub(hubPlane, folder), prepareSpoke(spokePlane, folder)]);
  const [hub, spoke] = await Promise.all([adminOf(hubPlane), adminOf(spokePlane)]);
  stack.defer(() => hub.close());
  stack.defer(() => spoke.close());
  const healthPort = await freePort();
  let agent = await startAgent({ hubPlane, spokePlane, folder, healthPort });
  stack.defer(async () => void (await agent.stop()));
  const world = stack.move();
  return {
    hub,
    spoke,
    metrics: async () => (await fetch(`http://127.0.0.1:${healthPort}/metrics`, { signal })).text(),
    restartAgent: async (meanwhile) => {
      expect(await agent.stop()).toEqual({ code: 0, signal: null });
      await meanwhile?.();
      agent = await startAgent({ hubPlane, spokePlane, folder, healthPort });
    },
    stop: () => world.disposeAsync(),
  };
}

async function prepareHub(plane: ControlPlane, folder: string): Promise<void> {
  await applyFolder(plane, join(checkout, 'deploy/crds/ocm-hub'));
  await plane.kubectl(['create', 'namespace', CLUSTER]);
  const template = await readFile(join(checkout, 'deploy/rbac/work-agent.hub.yaml'), 'utf8');
  const file = join(folder, 'work-agent.hub.yaml');
  await writeFile(file, template.replaceAll('${CLUSTER_NAME}', CLUSTER));
  const cluster = join(folder, 'managed-cluster.json');
  await writeFile(cluster, JSON.stringify(managedClusterManifest));
  await applyFolder(plane, [file, cluster]);
}

const managedClusterManifest = {
  apiVersion: 'cluster.open-cluster-management.io/v1',
  kind: 'ManagedCluster',
  metadata: { name: CLUSTER },
  spec: { hubAcceptsClient: true, leaseDurationSeconds: 1 },
};

async function prepareSpoke(plane: ControlPlane, folder: string): Promise<void> {
  await applyFolder(plane, join(checkout, 'deploy/crds/ocm-spoke'));
  await applyFolder(plane, [join(checkout, 'deploy/rbac/work-agent.spoke.yaml')]);
  await plane.kubectl(['create', 'namespace', 't']);
  const file = join(folder, 'widget-role.json');
  await writeFile(file, JSON.stringify(widgetRole));
  await applyFolder(plane, [file]);
  const account = 'system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa';
  const aggregated = async (limit: AbortSignal) => {
    for (const resource of ['configmaps', 'customresourcedefinitions']) {
      const question = ['auth', 'can-i', 'create', resource, '--namespace=t', `--as=${account}`];
      await plane.kubectl(question, { signal: limit });
    }
    return true;
  };
  await waitFor({ what: 'the aggregated roles', check: aggregated, timeoutMs: 120_000, intervalMs: 250, signal });
}

/** How an add-on lets the agent apply one more kind; CRDs are an add-on's, too. */
const widgetRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'test-widgets', labels: { 'open-cluster-management.io/aggregate-to-work': 'true' } },
  rules: [
    {
      apiGroups: ['test.example', 'apiextensions.k8s.io'],
      resources: ['widgets', 'customresourcedefinitions'],
      verbs: ['get', 'create', 'update', 'patch', 'delete'],
    },
  ],
};

type AgentPlace = { hubPlane: ControlPlane; spokePlane: ControlPlane; folder: string; healthPort: number };

async function startAgent({ hubPlane, spokePlane, folder, healthPort }: AgentPlace): Promise<RunningProcess> {
  const agentFolder = join(folder, 'agent');
  await mkdir(agentFolder, { recursive: true });
  const hubKubeconfig = await kubeconfigForServiceAccount({
    plane: hubPlane,
    namespace: CLUSTER,
    serviceAccount: 'work-agent',
    file: join(agentFolder, 'hub.kubeconfig'),
  });
  const kubeconfig = await kubeconfigForServiceAccount({
    plane: spokePlane,
    namespace: 'open-cluster-management-agent',
    serviceAccount: 'klusterlet-work-sa',
    file: join(agentFolder, 'spoke.kubeconfig'),
  });
  const main = join(checkout, 'spoke/src/work/main.ts');
  const where = [`--kubeconfig=${kubeconfig}`, `--hub-kubeconfig=${hubKubeconfig}`, `--cluster-name=${CLUSTER}`];
  const how = ['--registration', '--status-sync-interval=500ms', `--health-port=${healthPort}`];
  const eviction = '--appliedmanifestwork-eviction-grace-period=1s';
  return startProcess({
    name: 'work agent',
    command: execPath,
    args: [main, ...where, ...how, eviction],
    logFile: join(folder, 'agent.log'),
    ready: async (limit) => {
      const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`, { signal: limit });
      if (!answer.ok) throw new Error(await answer.text());
    },
    readyTimeoutMs: 120_000,
    signal,
  });
}

async function adminOf(plane: ControlPlane): Promise<KubeClient> {
  return new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
}

export const configMapManifest = (name: string, data: Record<string, string> = { a: '1' }, namespace = 't') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace } as ConfigMap['metadata'],
  data,
});

export const configMapConfig = (name: string) => ({
  resourceIdentifier: { group: '', resource: 'configmaps', name, namespace: 't' },
});

/** A work of the cluster, with these manifests. */
export function workOf(
  name: string,
  manifests: KubeObject[],
  spec: Omit<ManifestWorkSpec, 'workload'> = {},
): ManifestWork {
  const workload = { manifests: manifests as (KubeObject & Record<string, unknown>)[] };
  return { metadata: { name, namespace: CLUSTER }, spec: { workload, ...spec } };
}

export function appliedName({ hub }: WorkWorld, name: string): { name: string } {
  return { name: appliedWorkName(hubHash(hub.server), name) };
}

export async function appliedWorkOf(world: WorkWorld, name: string): Promise<AppliedManifestWork | undefined> {
  return world.spoke.getIfPresent(appliedManifestWork, appliedName(world, name), signal);
}

/** Conditions as `Type: "Status Reason"`. */
export function told(conditions: readonly { type: string; status: string; reason: string }[] | undefined) {
  return Object.fromEntries((conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}
