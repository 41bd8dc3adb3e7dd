import { join } from 'node:path';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import { applyFolder } from '../access/apply.ts';
import type { Disposables } from '../host/disposables.ts';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.ts';
import { type HubLink, startHubLink } from '../servers/hub-link.ts';
import { deployed } from '../world/manifests.ts';

export type WorldContext = { folder: string; disposables: Disposables; signal: AbortSignal };

/** Two API servers with OCM's CRDs and a link between them, and nobody in them yet. */
export type ConformanceWorld = {
  hubPlane: ControlPlane;
  spokePlane: ControlPlane;
  hub: KubeClient;
  spoke: KubeClient;
  link: HubLink;
};

/** Both with a controller manager: agents of all kinds lean on garbage collection, default accounts and aggregated roles. */
export async function startConformanceWorld(context: WorldContext): Promise<ConformanceWorld> {
  const [hubPlane, spokePlane] = await Promise.all([
    startPlane('hub', ['ocm-hub'], context),
    startPlane('spoke', ['ocm-spoke'], context),
  ]);
  const [hub, spoke] = await Promise.all([adminOf(hubPlane, context), adminOf(spokePlane, context)]);
  const link = await startHubLink(hubPlane.port);
  context.disposables.add({ name: 'link to the hub', stop: () => link.stop() });
  return { hubPlane, spokePlane, hub, spoke, link };
}

/** What an OCM hub does when it accepts a cluster: its ManagedCluster and its namespace. */
export async function acceptCluster(hubPlane: ControlPlane, cluster: string): Promise<void> {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: cluster } },
    {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name: cluster },
      spec: { hubAcceptsClient: true },
    },
  ];
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await hubPlane.kubectl(['apply', '--filename=-'], { input });
}

async function startPlane(
  name: string,
  crds: readonly string[],
  { folder, disposables, signal }: WorldContext,
): Promise<ControlPlane> {
  const plane = await startControlPlane({ name, folder: join(folder, name), controllerManager: true, signal });
  disposables.add({ name: `control plane ${name}`, stop: () => plane.stop() });
  for (const crd of crds) await applyFolder(plane, deployed('crds', crd));
  return plane;
}

async function adminOf(plane: ControlPlane, { disposables }: WorldContext): Promise<KubeClient> {
  const client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'conformance-judge');
  disposables.add({ name: `client of ${plane.name}`, stop: () => client.close() });
  return client;
}
