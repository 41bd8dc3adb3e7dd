import { join } from 'node:path';
import { SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { applyFolder } from '../access/apply.ts';
import { kubeconfigForServiceAccount, tokenFor } from '../access/service-account.ts';
import { checkout } from '../host/config.ts';
import type { Restartable } from '../host/restartable.ts';
import { type FakeKubelet, startFakeKubelet } from '../nodes/fake-kubelet.ts';
import type { Kernel } from '../nodes/kernels.ts';
import { type LabNode, startNode } from '../nodes/node.ts';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.ts';
import { type HubLink, startHubLink } from '../servers/hub-link.ts';
import type { WorldContext } from './hub-world.ts';
import { SINGLE_INSTANCE, startKmmProcess } from './kmm-process.ts';
import { deployed, rendered } from './manifests.ts';
import type { ClusterPlan } from './world.ts';

/** The demo looks often, so that a person need not wait; OCM's agents look every 10 s. */
const STATUS_SYNC_INTERVAL = '1s';
const NODE_MEMORY_MIB = 512;

/** A spoke's control plane with our CRDs, roles and policies, and OCM's kinds in OCM's place. */
export async function startSpokePlane(name: string, context: WorldContext): Promise<ControlPlane> {
  const { folder, disposables, signal } = context;
  const plane = await startControlPlane({ name, folder: join(folder, name), controllerManager: true, signal });
  disposables.add({ name: `control plane ${name}`, stop: () => plane.stop() });
  await applyFolder(plane, [deployed('crds', 'spoke'), deployed('crds', 'ocm-spoke')]);
  const roles = ['work-agent.spoke.yaml', 'spoke-cluster.spoke.yaml', 'spoke-node.yaml'];
  await applyFolder(
    plane,
    roles.map((file) => deployed('rbac', file)),
  );
  await applyFolder(plane, deployed('admission', 'spoke'));
  return plane;
}

export type Planes = { hub: ControlPlane; spoke: ControlPlane };

/** What an OCM hub does when a cluster is accepted: the ManagedCluster, its namespace, and the roles of its agents. */
export async function acceptCluster(
  { hub, spoke }: Planes,
  { leaseDurationSeconds }: Pick<ClusterPlan, 'leaseDurationSeconds'>,
  context: WorldContext,
): Promise<void> {
  const CLUSTER_NAME = spoke.name;
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CLUSTER_NAME } },
    {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name: CLUSTER_NAME, labels: { name: CLUSTER_NAME } },
      spec: {
        hubAcceptsClient: true,
        managedClusterClientConfigs: [{ url: spoke.url }],
        ...(leaseDurationSeconds && { leaseDurationSeconds }),
      },
    },
  ];
  await hub.kubectl(['apply', '--filename=-'], { input: objects.map((part) => JSON.stringify(part)).join('\n---\n') });
  const folder = spoke.folder;
  const files = ['work-agent.hub.yaml', 'spoke-cluster.hub.yaml'].map((file) =>
    rendered(deployed('rbac', file), { folder, values: { CLUSTER_NAME } }),
  );
  await applyFolder(hub, await Promise.all(files));
  context.signal.throwIfAborted();
}

/** The network between a spoke and the hub, so that it can be cut. */
export async function startLink({ hub, spoke }: Planes, { disposables }: WorldContext): Promise<HubLink> {
  const link = await startHubLink(hub.port);
  disposables.add({ name: `link of ${spoke.name} to the hub`, stop: () => link.stop() });
  return link;
}

/** The work agent, which stands in for registration too, and the cluster controllers; each under its roles. */
export async function startSpokeProcesses(
  { hub, spoke, link }: Planes & { link: HubLink },
  context: WorldContext,
): Promise<Restartable[]> {
  const { folder, disposables, signal } = context;
  const name = spoke.name;
  const linkedHub = { ...hub, url: link.url };
  const kubeconfig = (plane: ControlPlane, namespace: string, serviceAccount: string) => {
    const file = join(folder, `${name}-${serviceAccount}-on-${plane.name}.kubeconfig`);
    return kubeconfigForServiceAccount({ plane, namespace, serviceAccount, file });
  };
  const [workSpoke, workHub, clusterSpoke, clusterHub] = await Promise.all([
    kubeconfig(spoke, 'open-cluster-management-agent', 'klusterlet-work-sa'),
    kubeconfig(linkedHub, name, 'work-agent'),
    kubeconfig(spoke, SPOKE_NAMESPACE, 'kmm-operator-controller'),
    kubeconfig(linkedHub, name, 'kmm-spoke-cluster'),
  ]);
  const start = (process: string, entry: string, args: string[]) =>
    startKmmProcess({ name: `${name}-${process}`, entry, args: [...args, '--cluster-name', name], folder, signal });
  const sync = ['--registration', '--status-sync-interval', STATUS_SYNC_INTERVAL];
  const [workAgent, clusterAgent] = await Promise.all([
    start('work-agent', 'spoke/src/work/main.ts', ['--kubeconfig', workSpoke, '--hub-kubeconfig', workHub, ...sync]),
    start('cluster-agent', 'spoke/src/cluster/main.ts', [
      ...['--kubeconfig', clusterSpoke, '--hub-kubeconfig', clusterHub],
      SINGLE_INSTANCE,
    ]),
  ]);
  disposables.add({ name: `${name} work agent`, stop: () => workAgent.stop() });
  disposables.add({ name: `${name} cluster agent`, stop: () => clusterAgent.stop() });
  return [workAgent, clusterAgent];
}

export type WorldNode = { node: LabNode; kubelet: FakeKubelet };

export type WorldNodeOptions = {
  name: string;
  cpus: number;
  kernel: Kernel;
  spoke: ControlPlane;
  /** Answers in the node under the same address as on this machine. */
  registryPort: number;
  /** With them the node has Secure Boot, and its kernel trusts what their keys have signed. Files, PEM or DER. */
  trustedCertificates?: readonly string[];
};

/** A machine that boots the kernel with our agent in it, whose token is bound to its Node. */
export async function startWorldNode(
  { name, cpus, kernel, spoke, registryPort, trustedCertificates }: WorldNodeOptions,
  context: WorldContext,
): Promise<WorldNode> {
  const { folder, disposables, signal } = context;
  const size = { cpus, memoryMiB: NODE_MEMORY_MIB };
  const kubelet = await startFakeKubelet({ plane: spoke, name, ...size, signal });
  disposables.add({ name: `kubelet of ${name}`, stop: () => kubelet.stop() });
  const token = await tokenFor({
    plane: spoke,
    namespace: SPOKE_NAMESPACE,
    serviceAccount: 'kmm-spoke-node',
    boundNode: { name, uid: kubelet.nodeUid },
  });
  const node = await startNode({
    name,
    kernel,
    folder: join(folder, name),
    apiServer: { port: spoke.port, caPem: spoke.caPem },
    token,
    forwards: [registryPort],
    agentEntry: join(checkout, 'spoke/src/node/main.ts'),
    pci: ['VGA'], // a display controller is what discovery labels by default
    ...(trustedCertificates && { secureBoot: { trustedCertificates } }),
    ...size,
    signal,
  });
  disposables.add({ name: `node ${name}`, stop: () => node.stop() });
  await kubelet.follow(node.probe, signal);
  return { node, kubelet };
}
