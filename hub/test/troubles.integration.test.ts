import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configMap, HUB_NAMESPACE, secret } from '@kmm-hub/api-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moduleImageName } from '../src/fleet/recipe.ts';
import {
  dockerfile,
  eventually,
  type HubWorld,
  images,
  joinCluster,
  moduleFor,
  modules,
  type Running,
  reportKernels,
  signal,
  startHub,
  startHubWorld,
  works,
  writeDockerfile,
} from './hub-world.ts';
import { type RegistryGate, startRegistryGate } from './registry-gate.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

const KERNEL = '6.1.0-53-cloud-amd64';

/** What a person finds in `kubectl describe` of an object that waits for something: a condition, and an Event. */
type Trouble = { reason: string; words: string };

describe('kubectl describe tells what is wrong and what to do, and it heals by itself:', () => {
  let world: HubWorld;
  let gate: RegistryGate;
  let hub: Running;
  let worker: WorkerProcess;

  beforeAll(async () => {
    world = await startHubWorld();
    gate = await startRegistryGate(world.registry);
    hub = await startHub(world);
    worker = await startWorkerProcess(world);
  });
  afterAll(async () => {
    await worker?.stop();
    await hub?.stop();
    await gate?.stop();
    await world?.stop();
  });

  type Container = Parameters<typeof moduleFor>[2];
  /** One cluster, and a module of the name that is built for it, behind the gate. */
  async function fleetFor(name: string, container: object = {}): Promise<void> {
    await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
    const kernelMappings = [{ regexp: '^.+$', containerImage: imageFor(name, '${KERNEL_FULL_VERSION}') }];
    const build = { dockerfileConfigMap: { name } };
    await world.admin.create(
      modules,
      moduleFor(world, name, { build, kernelMappings, ...container } as Container),
      signal,
    );
  }
  const imageFor = (name: string, tag: string) => `${gate.host}/${name}:${tag}`;
  const idOf = (name: string) => moduleImageName(imageFor(name, KERNEL));
  const imageOf = (name: string) => world.admin.getIfPresent(images, { name: idOf(name) }, signal);
  const writeGood = (name: string) => writeDockerfile(world.admin, name, dockerfile(world.base, `RUN echo ${name}`));
  const describeObject = (kind: string, name: string) => world.plane.kubectl(['describe', kind, name]);

  async function tellsOf(kind: string, name: string, { reason, words }: Trouble): Promise<void> {
    const isTold = (text: string) =>
      new RegExp(`^ *Reason: +${reason}$`, 'm').test(text) && // a condition
      text.includes(words) &&
      new RegExp(`^ +Warning +${reason} `, 'm').test(text); // an Event
    await eventually(() => describeObject(kind, name), isTold);
  }
  /** The cluster has its work, and nothing is left that waits for a person. */
  async function heals(name: string): Promise<void> {
    await eventually(() => world.admin.getIfPresent(works, { namespace: name, name }, signal), Boolean);
    await eventually(
      () => describeObject('mcm', name),
      (text) => text.includes('nothing waits for a person'),
    );
  }

  test('a ConfigMap that is missing', async () => {
    await fleetFor('unwritten');
    const words = 'Create ConfigMap unwritten with key "dockerfile" in the namespace of the hub.';
    await tellsOf('mcm', 'unwritten', { reason: 'DockerfileNotFound', words });
    await writeGood('unwritten');
    await heals('unwritten');
  });

  test('a Secret that is missing, at once when it comes', async () => {
    await writeGood('secretive');
    const name = 'build-token';
    await fleetFor('secretive', { build: { dockerfileConfigMap: { name: 'secretive' }, secrets: [{ name }] } });
    const words = `Create Secret ${name} in namespace ${HUB_NAMESPACE} of the hub.`;
    await tellsOf('moduleimage', idOf('secretive'), { reason: 'SecretNotFound', words });
    await tellsOf('mcm', 'secretive', { reason: 'SecretNotFound', words });
    await waitLong('secretive');
    await putSecret(name, { token: 't' });
    await heals('secretive');
  });

  /** As after many failures: it is not the next attempt that heals the image. */
  async function waitLong(name: string): Promise<void> {
    const nextAttempt = new Date(Date.now() + 24 * 3_600_000).toISOString();
    await eventually(
      async () => {
        const patch = { status: { nextAttempt } };
        await world.admin.patch(images, { ref: { name: idOf(name) }, patch, subresource: 'status' }, signal);
        return imageOf(name);
      },
      (image) => image?.status?.phase === 'Failed' && image.status.nextAttempt === nextAttempt,
    );
  }

  test('a key of a Secret that is wrong, at once when it is mended', async () => {
    const text = [dockerfile(world.base), 'COPY --from=builder /built /opt/built.ko'].join('\n');
    await writeDockerfile(world.admin, 'unsigned', text);
    const [keySecret, certSecret] = [{ name: 'unsigned-key' }, { name: 'unsigned-cert' }];
    const pair = await signingPair(world.folder);
    await putSecret(keySecret.name, { key: 'no key' });
    await putSecret(certSecret.name, { cert: pair.cert });
    await fleetFor('unsigned', {
      build: { dockerfileConfigMap: { name: 'unsigned' } },
      sign: { keySecret, certSecret, filesToSign: ['/opt/built.ko'] },
    });
    const words = 'Put an unencrypted PEM private key';
    await tellsOf('moduleimage', idOf('unsigned'), { reason: 'SigningKeyUnusable', words });
    await tellsOf('mcm', 'unsigned', { reason: 'SigningKeyUnusable', words });
    await waitLong('unsigned');
    await putSecret(keySecret.name, { key: pair.key });
    await heals('unsigned');
  });

  async function putSecret(name: string, texts: Record<string, string>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    const ref = { name, namespace: HUB_NAMESPACE };
    const patch = { metadata: ref, data };
    await world.admin.patch(secret, { ref, patch, type: 'apply', fieldManager: 'test', force: true }, signal);
  }

  test('a toolkit that is missing', async () => {
    const lines = ['ARG DTK_AUTO', 'FROM ${DTK_AUTO} AS b', 'RUN echo x > /x', 'FROM scratch', 'COPY --from=b /x /x'];
    await writeDockerfile(world.admin, 'toolkit', lines.join('\n'));
    await fleetFor('toolkit');
    const words = 'Add an entry to toolkitCatalogue in controller_config.yaml of the hub';
    await tellsOf('mcm', 'toolkit', { reason: 'ToolkitNotFound', words });
    const config = JSON.stringify({ toolkitCatalogue: [{ regexp: '^6\\.', image: world.base }] });
    const metadata = { name: 'kmm-operator-hub-manager-config', namespace: HUB_NAMESPACE };
    await world.admin.create(configMap, { metadata, data: { 'controller_config.yaml': config } }, signal);
    await heals('toolkit');
  });

  test('a kernel that no mapping matches, also when other kernels of the cluster are served', async () => {
    await writeGood('unmapped');
    const mapping = { literal: KERNEL, containerImage: imageFor('unmapped', '${KERNEL_FULL_VERSION}') };
    const kernelMappings = [{ literal: '5.0.0', containerImage: 'r.example/none:1' }];
    await fleetFor('unmapped', { kernelMappings });
    const wordsFor = (kernel: string) =>
      `no kernel mapping matches kernel ${kernel}; add one to moduleLoader.container`;
    await tellsOf('mcm', 'unmapped', { reason: 'NoKernelMapping', words: wordsFor(KERNEL) });
    await map('unmapped', [...kernelMappings, mapping]);
    await heals('unmapped');
    const second = '6.12.9-cloud-amd64';
    await joinCluster(world, { name: 'unmapped-2', labels: { test: 'unmapped' }, kernels: [KERNEL, second] });
    await tellsOf('mcm', 'unmapped', { reason: 'NoKernelMapping', words: wordsFor(second) });
    await eventually(
      () => world.admin.getIfPresent(works, { namespace: 'unmapped-2', name: 'unmapped' }, signal),
      Boolean,
    );
    await map('unmapped', [{ ...mapping, literal: second }, mapping]);
    await eventually(
      () => describeObject('mcm', 'unmapped'),
      (text) => text.includes('no kernel of a selected cluster is left out') && / Normal +EveryKernel /.test(text),
    );
  });

  test('more kernels than a cluster may have', async () => {
    const kernels = (count: number) =>
      Array.from({ length: count }, (_, index) => `6.1.${String(index).padStart(2, '0')}`);
    await fleetFor('crowded', { build: undefined, kernelMappings: [{ regexp: '^.+$', containerImage: world.base }] });
    await reportKernels(world.admin, 'crowded', kernels(66));
    const words = 'only the first 64 by name get images; left out: 6.1.64, 6.1.65. See that its agents report only';
    await tellsOf('mcm', 'crowded', { reason: 'TooManyKernels', words });
    await reportKernels(world.admin, 'crowded', kernels(64));
    await eventually(
      () => describeObject('mcm', 'crowded'),
      (text) => text.includes('no kernel of a selected cluster is left out'),
    );
    await heals('crowded');
  });

  async function map(name: string, kernelMappings: object[]): Promise<void> {
    const patch = { spec: { moduleSpec: { moduleLoader: { container: { kernelMappings } } } } };
    await world.admin.patch(modules, { ref: { name }, patch }, signal);
  }

  test('a registry that refuses the push', async () => {
    await writeGood('refused');
    gate.mode = 'read-only';
    await fleetFor('refused');
    const words = 'the Secret in imageRepoSecret holds a credential with the right for it';
    await tellsOf('moduleimage', idOf('refused'), { reason: 'RegistryDenied', words });
    await tellsOf('mcm', 'refused', { reason: 'RegistryDenied', words: 'answers 403 DENIED to push' });
    gate.mode = 'open';
    await heals('refused');
  });

  test('a registry that is not reached, which a worker that reaches no other one tells in /readyz too', async () => {
    await worker.stop();
    worker = await startWorkerProcess(world); // one that has reached no registry yet
    await writeGood('away');
    gate.mode = 'away';
    await fleetFor('away');
    const words = `registry ${gate.host} does not answer`;
    await tellsOf('moduleimage', idOf('away'), { reason: 'RegistryUnreachable', words });
    await tellsOf('mcm', 'away', { reason: 'RegistryUnreachable', words: 'Check that the registry runs' });
    expect(await worker.readyz()).toMatch(new RegExp(`^503 ${words}: .*Check that the registry runs`));
    const line = { msg: 'image failed', code: 'RegistryUnreachable', err: expect.stringContaining(words) }; // no stack
    expect(await worker.log()).toContainEqual(expect.objectContaining(line));
    gate.mode = 'open';
    await heals('away');
    await eventually(
      () => worker.readyz(),
      (answer) => answer === '200 ok',
    );
  });
});

/** A key and its certificate, both PEM. */
async function signingPair(folder: string): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-new', '-nodes', '-sha256', '-subj', '/CN=test/', '-newkey', 'rsa:2048'];
  await promisify(execFile)('openssl', [...request, '-keyout', key, '-out', cert]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}
