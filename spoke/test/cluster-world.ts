import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import {
  type Module,
  module,
  type Node,
  type NodeModulesConfig,
  node,
  nodeModulesConfig,
  type Resource,
} from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { expect } from 'vitest';
import { applyFolder } from '../../lab/src/access/apply.ts';
import { kubeconfigForServiceAccount } from '../../lab/src/access/service-account.ts';
import { checkout } from '../../lab/src/host/config.ts';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { runFolder } from '../../lab/src/host/run-folder.ts';
import { waitFor } from '../../lab/src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../../lab/src/servers/control-plane.ts';

export const { signal } = new AbortController(); // vitest's own limits end what hangs
export const CLUSTER = 'c1';
export const NAMESPACE = 'openshift-kmm';
export const modules = module as Resource<Module>;

type Reported = NonNullable<NodeModulesConfig['status']>['modules'];

export type ClusterWorld = {
  /** As admin: stands for users and for the node agents. */
  admin: KubeClient;
  /** Text of the agent's /metrics. */
  metrics(): Promise<string>;
  restartAgent(): Promise<void>;
  /** What a node agent does once it has done all that is wanted of it. */
  reportLoaded(nodeName: string): Promise<void>;
  reportModules(nodeName: string, reported: Reported): Promise<void>;
  stop(): Promise<void>;
};

/** One API server that is hub and spoke in one, and the agent as a process under its two shipped roles. */
export async function startClusterWorld(): Promise<ClusterWorld> {
  await using stack = new AsyncDisposableStack(); // ends what did start when something does not
  const folder = await runFolder('test-cluster');
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const plane = stack.use(await startControlPlane({ name: 'cluster', folder: join(folder, 'plane'), signal }));
  await prepare(plane, folder);
  const admin = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
  stack.defer(() => admin.close());
  const healthPort = await freePort();
  let agent = await startAgent({ plane, folder, healthPort });
  stack.defer(async () => void (await agent.stop()));
  const world = stack.move();
  return {
    admin,
    metrics: async () => (await fetch(`http://127.0.0.1:${healthPort}/metrics`, { signal })).text(),
    restartAgent: async () => {
      expect(await agent.stop({ graceMs: 60_000 })).toEqual({ code: 0, signal: null });
      agent = await startAgent({ plane, folder, healthPort });
    },
    reportLoaded: (nodeName) => reportLoaded(admin, nodeName),
    reportModules: (nodeName, reported) => reportModules(admin, nodeName, reported),
    stop: () => world.disposeAsync(),
  };
}

async function reportLoaded(admin: KubeClient, nodeName: string): Promise<void> {
  const config = await eventually(
    () => admin.getIfPresent(nodeModulesConfig, { name: nodeName }, signal),
    (found) => found !== undefined,
  );
  const loaded = (config?.spec?.modules ?? []).map((entry) => ({ ...entry, bootId: `boot-${nodeName}` }));
  await reportModules(admin, nodeName, loaded);
}

async function reportModules(admin: KubeClient, name: string, reported: Reported): Promise<void> {
  const patch = { ref: { name }, patch: { status: { modules: reported } }, subresource: 'status' };
  await admin.patch(nodeModulesConfig, patch, signal);
}

async function prepare(plane: ControlPlane, folder: string): Promise<void> {
  const crds = ['hub', 'ocm-spoke', 'spoke'].map((name) => join(checkout, 'deploy/crds', name));
  for (const crdFolder of crds) await applyFolder(plane, crdFolder);
  for (const namespace of [CLUSTER, 'other']) await plane.kubectl(['create', 'namespace', namespace]);
  const template = await readFile(join(checkout, 'deploy/rbac/spoke-cluster.hub.yaml'), 'utf8');
  const hubRole = join(folder, 'spoke-cluster.hub.yaml');
  await writeFile(hubRole, template.replaceAll('${CLUSTER_NAME}', CLUSTER));
  await applyFolder(plane, [join(checkout, 'deploy/rbac/spoke-cluster.spoke.yaml'), hubRole]);
  await applyFolder(plane, join(checkout, 'deploy/admission'));
}

type AgentPlace = { plane: ControlPlane; folder: string; healthPort: number };

async function startAgent({ plane, folder, healthPort }: AgentPlace): Promise<RunningProcess> {
  const kubeconfigOf = (namespace: string, serviceAccount: string) => {
    const file = join(folder, `${serviceAccount}.kubeconfig`);
    return kubeconfigForServiceAccount({ plane, namespace, serviceAccount, file });
  };
  const kubeconfig = await kubeconfigOf(NAMESPACE, 'kmm-operator-controller');
  const hubKubeconfig = await kubeconfigOf(CLUSTER, 'kmm-spoke-cluster');
  const main = join(checkout, 'spoke/src/cluster/main.ts');
  const where = [`--kubeconfig=${kubeconfig}`, `--hub-kubeconfig=${hubKubeconfig}`, `--cluster-name=${CLUSTER}`];
  return startProcess({
    name: 'cluster agent',
    command: execPath,
    args: [main, ...where, `--health-port=${healthPort}`, '--leader-elect=false'], // a busy machine may lose a lease
    logFile: join(folder, 'agent.log'),
    ready: async (limit) => {
      const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`, { signal: limit });
      if (!answer.ok) throw new Error(await answer.text());
    },
    readyTimeoutMs: 120_000,
    signal,
  });
}

/** Waits until a reading of the world is as wanted, then gives it; the last reading is what a failure shows. */
export async function eventually<T>(read: () => Promise<T>, isWanted: (reading: T) => boolean): Promise<T> {
  let last: T | undefined;
  const check = async () => {
    last = await read();
    return isWanted(last) ? { reading: last } : undefined;
  };
  try {
    const { reading } = await waitFor({ what: 'the wanted state', check, timeoutMs: 120_000, signal });
    return reading;
  } catch (err) {
    throw new Error(`never as wanted; last seen: ${JSON.stringify(last, undefined, 1)}`, { cause: err });
  }
}

export const KERNEL = '6.1.0-53-cloud-amd64';

/** A Node that a kubelet has made, ready for pods: the admission taints every new one as not ready. */
export async function joinNode(admin: KubeClient, joining: Node): Promise<Node> {
  await admin.create(node, joining, signal);
  return admin.patch(node, { ref: { name: joining.metadata.name }, patch: { spec: { taints: null } } }, signal);
}

/** A Node as its kubelet makes it. */
export function nodeOf(name: string, labels: Record<string, string> = {}, kernelVersion = KERNEL): Node {
  const system = { osImage: 'Debian GNU/Linux 12 (bookworm)', operatingSystem: 'linux', architecture: 'amd64' };
  const ids = { bootID: `boot-${name}`, machineID: '', systemUUID: '' };
  const versions = { kubeletVersion: '', kubeProxyVersion: '', containerRuntimeVersion: '' };
  return { metadata: { name, labels }, status: { nodeInfo: { kernelVersion, ...system, ...ids, ...versions } } };
}

type ModulePlace = { namespace?: string; serviceAccountName?: string };

/** A Module for the nodes with these labels; it loads one image for each kernel, with one parameter. */
export function moduleOf(name: string, selector: Record<string, string>, place: ModulePlace = {}): Module {
  const { namespace = NAMESPACE, ...account } = place;
  const kernelMappings = [{ regexp: '^.+$', containerImage: `registry.example.com/${name}:\${KERNEL_FULL_VERSION}` }];
  const container = { modprobe: { moduleName: name, parameters: ['answer=42'] }, kernelMappings };
  return { metadata: { name, namespace }, spec: { selector, moduleLoader: { container, ...account } } };
}
