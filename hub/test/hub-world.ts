import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ConfigMap,
  configMap,
  HUB_NAMESPACE,
  KERNEL_VERSIONS_CLAIM,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManagedClusterModuleSpec,
  type ManifestWork,
  type ModuleImage,
  managedCluster,
  managedClusterModule,
  manifestWork,
  moduleImage,
  namespace,
  type Resource,
} from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import {
  applyFolder,
  type ControlPlane,
  checkout,
  kubeconfigForServiceAccount,
  type Redis,
  type Registry,
  runFolder,
  startControlPlane,
  startRedis,
  startRegistry,
  waitFor,
} from '@kmm-hub/lab';
import { createRegistryClient } from '@kmm-hub/oci';
import { pino } from 'pino';
import { createBuildahExecutor } from '../../queue/src/executors/buildah-executor.ts';
import type { Executor } from '../../queue/src/executors/executor.ts';
import { ImageWorker } from '../../queue/src/worker/image-worker.ts';
import { pushBusybox } from '../../queue/test/build-fixture.ts';
import { Hub } from '../src/hub.ts';

export const { signal } = new AbortController(); // vitest's own limits end what hangs
export const modules = managedClusterModule as Resource<ManagedClusterModule>;
export const images = moduleImage as Resource<ModuleImage>;
export const works = manifestWork as Resource<ManifestWork>;

/** Something of ours that runs in this process, under its shipped role. */
export type Running = { stop(): Promise<void> };

export type HubWorld = {
  folder: string;
  plane: ControlPlane;
  redis: Redis;
  registry: Registry;
  /** As admin: stands for users and for OCM's registration. */
  admin: KubeClient;
  /** An image with a shell, for Dockerfiles to start from. */
  base: string;
  kubeconfigs: { hub: string; worker: string };
  /** Builds for real, in a storage of its own. */
  executor: Executor;
  stop(): Promise<void>;
};

/** A real API server, Redis and registry; neither hub nor worker runs yet. */
export async function startHubWorld(): Promise<HubWorld> {
  await using stack = new AsyncDisposableStack(); // ends what did start when something does not
  const folder = await runFolder('test-hub');
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [plane, redis, registry] = await Promise.all([
    startControlPlane({ name: 'hub', folder: join(folder, 'plane'), signal }),
    startRedis({ folder: join(folder, 'redis'), signal }),
    startRegistry({ folder: join(folder, 'registry'), signal }),
  ]);
  for (const server of [plane, redis, registry]) stack.use(server);
  const deployed = (...path: string[]) => join(checkout, 'deploy', ...path);
  for (const crds of ['hub', 'ocm-hub']) await applyFolder(plane, deployed('crds', crds));
  await applyFolder(plane, [deployed('rbac', 'hub.yaml'), deployed('rbac', 'worker.yaml')]);
  await applyFolder(plane, deployed('admission', 'hub'));
  const kubeconfigFor = (serviceAccount: string) => {
    const file = join(folder, `${serviceAccount}.kubeconfig`);
    return kubeconfigForServiceAccount({ plane, namespace: HUB_NAMESPACE, serviceAccount, file });
  };
  const kubeconfigs = {
    hub: await kubeconfigFor('kmm-operator-hub-controller'),
    worker: await kubeconfigFor('kmm-operator-hub-worker'),
  };
  const admin = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'test');
  stack.defer(() => admin.close());
  const base = `${registry.host}/base/busybox:1`;
  await pushBase(base);
  await mkdir(join(folder, 'worker'));
  const executor = stack.use(createBuildahExecutor({ folder: join(folder, 'storage'), maxCacheMiB: 500 }));
  const world = stack.move();
  const stop = () => world.disposeAsync();
  return { ...{ folder, plane, redis, registry, admin, base, kubeconfigs, executor }, stop };
}

async function pushBase(base: string): Promise<void> {
  const client = createRegistryClient({});
  try {
    await pushBusybox(client, base);
  } finally {
    await client.close();
  }
}

const log = pino({ level: 'silent' });

export async function startHub({ kubeconfigs, redis }: HubWorld): Promise<Running> {
  const client = new KubeClient(await loadConnection({ kubeconfig: kubeconfigs.hub }), 'test-hub');
  const hub = new Hub({ client, namespace: HUB_NAMESPACE, redisUrl: redis.url, log, metrics: () => undefined });
  return running(client, hub, (stopping) => hub.run(stopping));
}

/** `executor` stands in front of the real one, to see or to change what is built. */
export async function startWorker(world: HubWorld, executor: Executor = world.executor): Promise<Running> {
  const { kubeconfigs, redis, folder } = world;
  const client = new KubeClient(await loadConnection({ kubeconfig: kubeconfigs.worker }), 'test-worker');
  const place = { namespace: HUB_NAMESPACE, workFolder: join(folder, 'worker'), buildTimeoutMs: PATIENCE_MS };
  const worker = new ImageWorker({ client, executor, log, redisUrl: redis.url, concurrency: 2, ...place });
  return running(client, worker, (stopping) => worker.run(stopping));
}

function running(client: KubeClient, part: AsyncDisposable, run: (signal: AbortSignal) => Promise<void>): Running {
  const stopping = new AbortController();
  const ended = run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error('the test stops it'));
    await ended;
    await part[Symbol.asyncDispose]();
    await client.close();
  };
  return { stop };
}

/** Only ends what hangs: longer than anything takes on a busy machine, shorter than vitest's own limit. */
const PATIENCE_MS = 120_000;

/** Waits until a reading of the world is as wanted, then gives it; the last reading is what a failure shows. */
export async function eventually<T>(read: () => Promise<T>, isWanted: (reading: T) => boolean): Promise<T> {
  let last: T | undefined;
  const check = async () => {
    last = await read();
    return isWanted(last) ? { reading: last } : undefined;
  };
  try {
    const { reading } = await waitFor({ what: 'the wanted state', check, timeoutMs: PATIENCE_MS, signal });
    return reading;
  } catch (err) {
    throw new Error(`never as wanted; last seen: ${JSON.stringify(last, undefined, 1)}`, { cause: err });
  }
}

export type JoiningCluster = {
  name: string;
  labels: Record<string, string>;
  kernels: string[];
  /** Of Kubernetes, e.g. "v1.33.4"; none is told by default. */
  version?: string;
};

/** A cluster as OCM's registration would have it: accepted, with a namespace and its kernels in the claim. */
export async function joinCluster(
  { admin }: HubWorld,
  { name, labels, kernels, version }: JoiningCluster,
): Promise<void> {
  await admin.create(namespace, { metadata: { name } }, signal);
  const cluster: ManagedCluster = { metadata: { name, labels }, spec: { hubAcceptsClient: true } };
  await admin.create(managedCluster, cluster, signal);
  if (version !== undefined) await reportVersion(admin, name, version); // before there is anything to do for it
  await reportKernels(admin, name, kernels);
}

export async function reportVersion(admin: KubeClient, cluster: string, kubernetes: string): Promise<void> {
  const patch = { status: { version: { kubernetes } } };
  await admin.patch(managedCluster, { ref: { name: cluster }, patch, subresource: 'status' }, signal);
}

export async function reportKernels(admin: KubeClient, cluster: string, kernels: string[]): Promise<void> {
  const clusterClaims = [{ name: KERNEL_VERSIONS_CLAIM, value: kernels.join('\n') }];
  const patch = { status: { clusterClaims } };
  await admin.patch(managedCluster, { ref: { name: cluster }, patch, subresource: 'status' }, signal);
}

/** A Dockerfile that names its kernel, so that each kernel has another image. */
export function dockerfile(base: string, ...lines: string[]): string {
  const build = ['ARG KERNEL_FULL_VERSION', 'RUN echo "for $KERNEL_FULL_VERSION" > /built', ...lines];
  return [`FROM ${base} AS builder`, ...build, 'FROM scratch', 'COPY --from=builder /built /built'].join('\n');
}

export async function writeDockerfile(admin: KubeClient, name: string, text: string): Promise<void> {
  const patch: ConfigMap = { metadata: { name, namespace: HUB_NAMESPACE }, data: { dockerfile: text } };
  const ref = { name, namespace: HUB_NAMESPACE };
  await admin.patch(configMap, { ref, patch, type: 'apply', fieldManager: 'test', force: true }, signal);
}

type Container = NonNullable<NonNullable<ManagedClusterModuleSpec['moduleSpec']>['moduleLoader']>['container'];

/** A module of this name for the clusters with the label test=<name>; its images are <registry>/<name>:<kernel>. */
export function moduleFor(
  { registry }: HubWorld,
  name: string,
  container: Partial<Container> = {},
): ManagedClusterModule {
  return {
    metadata: { name },
    spec: {
      spokeNamespace: 'openshift-kmm',
      selector: { test: name },
      moduleSpec: {
        selector: {},
        moduleLoader: {
          container: {
            modprobe: { moduleName: name },
            kernelMappings: [{ regexp: '^.+$', containerImage: `${registry.host}/${name}:\${KERNEL_FULL_VERSION}` }],
            ...container,
          },
        },
      },
    },
  };
}
