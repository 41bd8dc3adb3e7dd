import { kubeEvent, type ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { IMAGE_QUEUE, QUEUE_PREFIX, workerName } from '../../queue/src/client/image-job.ts';
import type { ImageResult } from '../../queue/src/client/index.ts';
import {
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
  writeDockerfile,
} from './hub-world.ts';

const KERNEL = '6.1.0-53-cloud-amd64';
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Redis and a hub; what workers would answer is the test's. */
describe('the hub and what is in Redis', () => {
  let world: HubWorld;
  let hub: Running;
  let redis: Redis;
  const workers: { worker: Worker; connection: Redis }[] = [];

  beforeAll(async () => {
    world = await startHubWorld();
    redis = new Redis(world.redis.url, { maxRetriesPerRequest: null });
    hub = await startHub(world);
  });
  afterAll(async () => {
    await hub?.stop();
    redis?.disconnect();
    await world?.stop();
  });
  afterEach(async () => {
    for (const { worker, connection } of workers.splice(0)) {
      await worker.close(true);
      connection.disconnect();
    }
  });

  /** A worker by BullMQ alone. */
  async function answer(process: (job: Job) => Promise<unknown>, concurrency = 1): Promise<void> {
    const options = { prefix: QUEUE_PREFIX, concurrency, name: workerName(concurrency) };
    const connection = redis.duplicate();
    const worker = new Worker(IMAGE_QUEUE, process, { connection, ...options });
    workers.push({ worker, connection });
    await worker.waitUntilReady();
  }
  async function wantImages(name: string, clusters: Record<string, string[]>): Promise<void> {
    for (const [cluster, kernels] of Object.entries(clusters)) {
      await joinCluster(world, { name: cluster, labels: { test: name }, kernels });
    }
    await writeDockerfile(world.admin, name, 'FROM scratch');
    const build = { dockerfileConfigMap: { name } };
    await world.admin.create(modules, moduleFor(world, name, { build }), signal);
  }
  const imagesOf = async (name: string): Promise<ModuleImage[]> => {
    const { items } = await world.admin.list(images, {}, signal);
    return items.filter(({ spec }) => spec.image.startsWith(`${world.registry.host}/${name}:`));
  };
  const published = async ({ data }: Job): Promise<ImageResult> => {
    const { spec } = await world.admin.get(images, { name: data.name }, signal);
    return { outcome: 'Published', recipeKey: spec.recipeKey, digest: DIGEST, origin: 'Made', built: true };
  };

  test('an answer that is none becomes a failure with its remedy, and the next answer counts', async () => {
    const answers = [{ outcome: 'Failed', reason: 'no reason', message: 'x'.repeat(1_000_000), retry: 'never' }];
    const told = Promise.withResolvers<void>();
    await answer(async (job) => answers.shift() ?? told.promise.then(() => published(job)));
    await wantImages('malformed', { 'malformed-1': [KERNEL] });
    const failed = await eventually(
      () => imagesOf('malformed'),
      ([image]) => image?.status?.failures === 1,
    );
    expect(conditionOf(failed[0]?.status?.conditions, 'Ready')).toMatchObject({
      ...{ status: 'False', reason: 'MalformedResult' },
      message: expect.stringContaining('See that only the hub and its workers can write to Redis'),
    });
    const module = await eventually(
      () => world.admin.get(modules, { name: 'malformed' }, signal),
      ({ status }) => conditionOf(status?.conditions, 'Available')?.reason === 'MalformedResult',
    );
    expect(conditionOf(module.status?.conditions, 'Degraded')?.status).toBe('True');
    await eventually(
      async () => (await world.admin.list(kubeEvent, { namespace: 'default' }, signal)).items,
      (events) =>
        events.some(
          ({ involvedObject, reason }) =>
            involvedObject.name === failed[0]?.metadata.name && reason === 'MalformedResult',
        ),
    );
    told.resolve();
    await eventually(
      () => imagesOf('malformed'),
      ([image]) => image?.status?.phase === 'Published' && image.status.digest === DIGEST,
    );
  });

  test('never holds more than twice as many jobs as workers work on at once, and moves those that wait when more clusters want them', async () => {
    const queue = new Queue(IMAGE_QUEUE, { connection: redis, prefix: QUEUE_PREFIX });
    const seen: { kernel: string; jobs: number }[] = [];
    const gate = Promise.withResolvers<void>();
    await answer(async (job) => {
      await gate.promise;
      const jobs = await queue.getJobCountByTypes('wait', 'prioritized', 'active');
      const { spec } = await world.admin.get(images, { name: job.data.name }, signal);
      seen.push({ kernel: spec.kernelVersion, jobs });
      return published(job);
    }, 2);
    const alone = Array.from({ length: 6 }, (_, index) => `6.1.${index}-alone`);
    const shared = Array.from({ length: 6 }, (_, index) => `6.2.${index}-shared`);
    await wantImages('bound', { 'bound-1': [...alone, ...shared], 'bound-2': [] });
    await eventually(
      () => imagesOf('bound'),
      ({ length }) => length === 12,
    );
    await reportKernels(world.admin, 'bound-2', shared);
    await eventually(
      () => queue.getJobCountByTypes('wait', 'prioritized', 'active'),
      (count) => count === 4,
    );
    const weightsAreSeen = async () => {
      const jobs = await queue.getJobs(['prioritized']);
      const kernels = await Promise.all(
        jobs.map(async ({ data }) => world.admin.get(images, { name: data.name }, signal)),
      );
      return kernels.map(({ spec }, index) => ({
        shared: shared.includes(spec.kernelVersion),
        priority: jobs[index]?.priority,
      }));
    };
    await eventually(
      weightsAreSeen,
      (list) => list.length === 2 && list.every((job) => job.priority === (job.shared ? 2 : 3)),
    );
    gate.resolve();
    await eventually(
      () => imagesOf('bound'),
      (list) => list.every(({ status }) => status?.phase === 'Published'),
    );
    expect(Math.max(...seen.map(({ jobs }) => jobs))).toBeLessThanOrEqual(4);
    expect(new Set(seen.map(({ kernel }) => kernel))).toEqual(new Set([...alone, ...shared]));
  });
});
