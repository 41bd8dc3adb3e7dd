import { randomInt } from 'node:crypto';
import type { ModuleImage } from '@kmm-hub/api-types';
import { createRegistryClient, type RegistryClient } from '@kmm-hub/oci';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endSleeps } from '../../queue/test/hearing-executor.ts';
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
  signal,
  startHub,
  startHubWorld,
  writeDockerfile,
} from './hub-world.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

const KERNEL = '6.1.0-53-cloud-amd64';
const A_DAY = `${86_400 + randomInt(1_000_000)}`; // and another one in each run: builds are ended by it

describe('of two workers, one of which', () => {
  let world: HubWorld;
  let hub: Running;
  let registry: RegistryClient;
  let workers: WorkerProcess[] = [];

  beforeAll(async () => {
    world = await startHubWorld();
    hub = await startHub(world);
    registry = createRegistryClient();
  });
  afterAll(async () => {
    await registry?.close();
    await hub?.stop();
    await world?.stop();
  });
  beforeEach(async () => {
    workers = await Promise.all([startWorkerProcess(world), startWorkerProcess(world)]);
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
  });

  const imageFor = (name: string) => `${world.registry.host}/${name}:${KERNEL}`;
  const idOf = (name: string) => moduleImageName(imageFor(name));
  const imageOf = (name: string) => world.admin.getIfPresent(images, { name: idOf(name) }, signal);
  const isPublished = (image: ModuleImage | undefined) => image?.status?.phase === 'Published';
  const digestAt = async (name: string) => (await registry.resolve(imageFor(name), signal))?.digest;

  /** A module whose image is not built before `publishedAtLast` lets it. */
  async function wantImage(name: string): Promise<void> {
    await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
    const text = dockerfile(world.base, `RUN echo ${name}; busybox sleep ${A_DAY}; busybox date +%s%N > /built`);
    await writeDockerfile(world.admin, name, text); // built twice, it is never the same
    await world.admin.create(modules, moduleFor(world, name, { build: { dockerfileConfigMap: { name } } }), signal);
  }
  /** Lets every build of now and of later end. */
  const publishedAtLast = (name: string) =>
    eventually(async () => {
      await endSleeps(A_DAY);
      return imageOf(name);
    }, isPublished);
  /** How often each worker began to build the image. */
  async function buildsOf(name: string): Promise<number[]> {
    const logs = await Promise.all(workers.map(({ log }) => log()));
    return logs.map((lines) => lines.filter(({ job, step }) => job === idOf(name) && step === 'Building').length);
  }
  /** The worker that builds the image, and the other one. */
  async function whileBuilt(name: string): Promise<{ builder: WorkerProcess; other: WorkerProcess }> {
    const builds = await eventually(
      () => buildsOf(name),
      (counts) => counts.includes(1),
    );
    const [builder, other] = builds[0] === 1 ? workers : workers.toReversed();
    return { builder: builder as WorkerProcess, other: other as WorkerProcess };
  }

  test('is killed in mid-build, the other one takes the job over, and builds once more at most', async () => {
    await wantImage('killed');
    const { builder } = await whileBuilt('killed');
    builder.process.kill('SIGKILL');
    await builder.process.exited;
    const image = await publishedAtLast('killed');
    expect(image?.status).toMatchObject({ builds: 1, reused: false, digest: await digestAt('killed') });
    expect(await buildsOf('killed')).toEqual([1, 1]);
  });

  test('builds while Redis is emptied, the image is made, with one build more at most', async () => {
    const redis = new Redis(world.redis.url);
    await wantImage('flushed');
    await whileBuilt('flushed');
    await redis.flushall();
    redis.disconnect();
    const image = await publishedAtLast('flushed');
    expect(image?.status).toMatchObject({ reused: false, digest: await digestAt('flushed') });
    const builds = await buildsOf('flushed');
    expect((builds[0] ?? 0) + (builds[1] ?? 0)).toBeLessThanOrEqual(2);
  });

  test('is paused in mid-build, the other one publishes, and nothing changes that when the first goes on', async () => {
    await wantImage('paused');
    const { builder, other } = await whileBuilt('paused');
    builder.process.kill('SIGSTOP');
    const image = await publishedAtLast('paused');
    const digest = image?.status?.digest;
    expect(await digestAt('paused')).toBe(digest);
    builder.process.kill('SIGCONT');
    await other.stop();
    await wantImage('next'); // the first one takes it once it has let go of the other
    await publishedAtLast('next');
    expect(await digestAt('paused')).toBe(digest);
    expect((await imageOf('paused'))?.status).toMatchObject({ digest, builds: 1 });
  });
});
