import { join } from 'node:path';
import { HUB_NAMESPACE } from '@kmm-hub/api-types';
import { stringify } from 'yaml';
import { applyFolder } from '../access/apply.ts';
import { kubeconfigForServiceAccount } from '../access/service-account.ts';
import type { Disposables } from '../host/disposables.ts';
import type { Restartable } from '../host/restartable.ts';
import { runLeaseController } from '../ocm/lease-controller.ts';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.ts';
import { type Redis, startRedis } from '../servers/redis.ts';
import { type Registry, startRegistry } from '../servers/registry.ts';
import { SINGLE_INSTANCE, startKmmProcess } from './kmm-process.ts';
import { deployed } from './manifests.ts';

export type WorldContext = {
  /** The run's own folder: data, kubeconfigs and logs. */
  folder: string;
  disposables: Disposables;
  signal: AbortSignal;
};

/** The hub's control plane with our CRDs, roles and policies, and OCM's kinds in OCM's place. */
export async function startHubPlane({ folder, disposables, signal }: WorldContext): Promise<ControlPlane> {
  const plane = await startControlPlane({ name: 'hub', folder: join(folder, 'hub'), controllerManager: true, signal });
  disposables.add({ name: 'control plane hub', stop: () => plane.stop() });
  await applyFolder(plane, [deployed('crds', 'hub'), deployed('crds', 'ocm-hub')]);
  await applyFolder(plane, [deployed('rbac', 'hub.yaml'), deployed('rbac', 'worker.yaml')]);
  await applyFolder(plane, deployed('admission', 'hub'));
  return plane;
}

/** In OCM's place too: a cluster that is cut off cannot say so itself. */
export function startLeaseController({ client }: ControlPlane, { disposables }: WorldContext): void {
  const stopped = new AbortController();
  const running = runLeaseController(client, stopped.signal);
  const stop = async () => {
    stopped.abort();
    await running;
  };
  disposables.add({ name: 'lease controller', stop });
}

export async function startServers(context: WorldContext): Promise<{ registry: Registry; redis: Redis }> {
  const { folder, disposables, signal } = context;
  const [registry, redis] = await Promise.all([
    startRegistry({ folder: join(folder, 'registry'), signal }),
    startRedis({ folder: join(folder, 'redis'), signal }),
  ]);
  disposables.add({ name: 'registry', stop: () => registry.stop() });
  disposables.add({ name: 'Redis', stop: () => redis.stop() });
  return { registry, redis };
}

/** Tells the hub where toolkit images are, as a user does: the catalogue in its ConfigMap. */
export async function writeHubConfig(plane: ControlPlane, registryHost: string): Promise<void> {
  const config = { toolkitCatalogue: [{ regexp: '^.+$', image: `${registryHost}/toolkit:\${KERNEL_FULL_VERSION}` }] };
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kmm-operator-hub-manager-config', namespace: HUB_NAMESPACE },
    data: { 'controller_config.yaml': stringify(config) },
  };
  await plane.kubectl(['apply', '--filename=-'], { input: JSON.stringify(manifest) });
}

/** The hub and one worker, each with a token of its own role. */
export async function startHubProcesses(
  context: WorldContext,
  { plane, redis }: { plane: ControlPlane; redis: Redis },
): Promise<Restartable[]> {
  const { folder, disposables, signal } = context;
  const kubeconfig = (serviceAccount: string) =>
    kubeconfigForServiceAccount({
      plane,
      namespace: HUB_NAMESPACE,
      serviceAccount,
      file: join(folder, `${serviceAccount}.kubeconfig`),
    });
  const [hubKubeconfig, workerKubeconfig] = await Promise.all([
    kubeconfig('kmm-operator-hub-controller'),
    kubeconfig('kmm-operator-hub-worker'),
  ]);
  const common = ['--namespace', HUB_NAMESPACE];
  const env = { KMM_REDIS: redis.url }; // it holds the password: arguments are for all to see
  const start = (name: string, entry: string, args: string[]) =>
    startKmmProcess({ name, entry, args: [...common, ...args], env, folder, signal });
  const [hub, worker] = await Promise.all([
    start('hub', 'hub/src/main.ts', ['--kubeconfig', hubKubeconfig, SINGLE_INSTANCE]),
    start('worker', 'queue/src/worker.ts', [
      '--kubeconfig',
      workerKubeconfig,
      '--concurrency',
      '2',
      '--work-folder',
      join(folder, 'worker'),
    ]),
  ]);
  disposables.add({ name: 'hub', stop: () => hub.stop() });
  disposables.add({ name: 'worker', stop: () => worker.stop() });
  return [hub, worker];
}
