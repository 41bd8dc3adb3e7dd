import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type ConfigMap,
  configMap,
  HUB_NAMESPACE,
  type ModuleImage,
  type ModuleImageSpec,
  moduleImage,
  type Resource,
  secret,
} from '@kmm-hub/api-types';
import { KubeClient, loadConnection } from '@kmm-hub/kube';
import {
  applyFolder,
  type ControlPlane,
  checkout,
  kubeconfigForServiceAccount,
  runFolder,
  startControlPlane,
} from '@kmm-hub/lab';
import { createRegistryClient, type RegistryClient } from '@kmm-hub/oci';
import { type DockerRegistry, registryUser, startDockerRegistry } from '../../oci/test/docker-registry.ts';
import type { ImageJob } from '../src/client/image-job.ts';
import { sha256 } from '../src/worker/content-key.ts';

export const { signal } = new AbortController(); // vitest's own limits end what hangs
export const KERNEL = '6.1.0-53-amd64';
/** A Secret with the registry's credential; every recipe names it. */
const PULL_SECRET = 'pull';
const images = moduleImage as Resource<ModuleImage>;

/** What a worker works with but Redis; the hub is the test. */
export type WorkerWorld = {
  /** Of the run; `work` in it is the worker's. */
  folder: string;
  workFolder: string;
  /** The worker's own, under its shipped role. */
  client: KubeClient;
  /** Stands for users and for the hub. */
  admin: KubeClient;
  /** Asks for the credential of `registryUser`, which `pusher` has. */
  registry: DockerRegistry;
  pusher: RegistryClient;
  stop(): Promise<void>;
};

export async function startWorkerWorld(): Promise<WorkerWorld> {
  await using stack = new AsyncDisposableStack(); // ends what did start when something does not
  const folder = await runFolder('test-worker');
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [plane, registry] = await Promise.all([
    startControlPlane({ name: 'hub', folder: join(folder, 'plane'), signal }),
    startDockerRegistry({ basicAuth: true }),
  ]);
  for (const server of [plane, registry]) stack.use(server);
  const client = await workerClient(plane, join(folder, 'worker.kubeconfig'));
  stack.defer(() => client.close());
  const pusher = createRegistryClient({ auth: () => registryUser });
  stack.defer(() => pusher.close());
  const workFolder = join(folder, 'work');
  await mkdir(workFolder);
  await writeSecret(plane.client, PULL_SECRET, { '.dockerconfigjson': dockerConfig(registry.host) });
  const world = stack.move();
  const stop = () => world.disposeAsync();
  return { ...{ folder, workFolder, client, admin: plane.client, registry, pusher }, stop };
}

async function workerClient(plane: ControlPlane, file: string): Promise<KubeClient> {
  const deployed = (...path: string[]) => join(checkout, 'deploy', ...path);
  await applyFolder(plane, deployed('crds', 'hub'));
  await applyFolder(plane, [deployed('rbac', 'hub.yaml'), deployed('rbac', 'worker.yaml')]);
  const account = { namespace: HUB_NAMESPACE, serviceAccount: 'kmm-operator-hub-worker' };
  const kubeconfig = await kubeconfigForServiceAccount({ plane, file, ...account });
  return new KubeClient(await loadConnection({ kubeconfig }), 'test-worker');
}

/** `user:password` of the registry, as HTTP's basic authentication and docker's config have it. */
export const registryAuth = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64');

function dockerConfig(host: string): string {
  return JSON.stringify({ auths: { [host]: { auth: registryAuth } } });
}

export async function writeSecret(
  admin: KubeClient,
  name: string,
  values: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  const base64 = (value: string | Buffer) => Buffer.from(value).toString('base64');
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)]));
  await admin.create(secret, { metadata: { name, namespace: HUB_NAMESPACE }, data }, signal);
}

export async function writeDockerfile(admin: KubeClient, name: string, text: string): Promise<void> {
  const patch: ConfigMap = { metadata: { name, namespace: HUB_NAMESPACE }, data: { dockerfile: text } };
  const ref = { name, namespace: HUB_NAMESPACE };
  await admin.patch(configMap, { ref, patch, type: 'apply', fieldManager: 'test', force: true }, signal);
}

/** As the hub writes it: the recipe of `<registry>/<name>:<kernel>` from this Dockerfile, which is written, too. */
export async function recipeFor(
  { admin, registry }: WorkerWorld,
  name: string,
  dockerfile: string,
): Promise<ModuleImageSpec> {
  await writeDockerfile(admin, name, dockerfile);
  return {
    image: `${registry.host}/${name}:${KERNEL}`,
    kernelVersion: KERNEL,
    architecture: 'amd64',
    recipeKey: 'a'.repeat(64),
    dirName: '/opt',
    rebuildPolicy: 'IfMissing',
    imageRepoSecret: PULL_SECRET,
    build: { dockerfileConfigMap: name, dockerfileSha256: sha256(dockerfile), buildArgs: [] },
  };
}

/** Writes a ModuleImage, in the place of one that may be there. The job is what the hub adds for it. */
export async function wantImage(admin: KubeClient, name: string, spec: ModuleImageSpec): Promise<ImageJob> {
  await removeImage(admin, name);
  const { metadata } = await admin.create(images, { metadata: { name }, spec }, signal);
  return { name, uid: metadata.uid ?? '', generation: metadata.generation ?? 0 };
}

export async function removeImage(admin: KubeClient, name: string): Promise<void> {
  await admin.delete(images, { name }, signal);
}

/** Secrets signing-key and signing-cert. Gives the key, as the Secret has it. */
export async function writeSigningPair({ folder, admin }: WorkerWorld): Promise<string> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-new', '-nodes', '-sha256', '-subj', '/CN=test/', '-newkey', 'rsa:2048'];
  await promisify(execFile)('openssl', [...request, '-keyout', key, '-out', certificate]);
  const text = await readFile(key, 'utf8');
  await writeSecret(admin, 'signing-key', { key: text });
  await writeSecret(admin, 'signing-cert', { cert: await readFile(certificate) });
  return text;
}
