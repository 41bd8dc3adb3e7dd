import { rm } from 'node:fs/promises';
import { type Redis, runFolder, startRedis, waitFor } from '@kmm-hub/lab';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis as RedisClient } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { IMAGE_QUEUE, type ImageResult, QUEUE_PREFIX } from '../src/client/image-job.ts';
import { ImageQueue, QueueUnreachableError } from '../src/client/index.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const digest = `sha256:${'a'.repeat(64)}`;
const published: ImageResult = { outcome: 'Published', recipeKey: 'k', digest, reused: false, built: true };
const job = (name: string) => ({ name, uid: 'u', generation: 1 });
const once = { weight: 1 };

describe('the queue of images', () => {
  let redis: Redis;
  let folder: string;
  let queue: ImageQueue;
  let heard: [string, unknown][];
  const workers: Worker[] = [];
  let client: RedisClient;

  beforeAll(async () => {
    folder = await runFolder('test-queue');
    redis = await startRedis({ folder, signal });
    client = new RedisClient(redis.url);
    client.on('error', () => undefined); // Redis is stopped on purpose
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await client.flushall();
    heard = [];
    queue = new ImageQueue(redis.url, {
      onResult: (name, result) => heard.push([name, result]),
      onStep: (name, step) => heard.push([name, step]),
      onConnected: () => heard.push(['connected', '']),
    });
    await eventually(() => queue.problems().length === 0);
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.close();
    await queue.close();
  });

  const eventually = (check: () => boolean) =>
    waitFor({ what: 'it', check: async () => check() || undefined, timeoutMs: 20_000, signal });
  const isHeard = (name: string) => heard.some(([about]) => about === name);
  /** A worker by BullMQ alone, whose answers the test decides. */
  function answer(process: (job: Job) => Promise<unknown>): void {
    workers.push(
      new Worker(IMAGE_QUEUE, process, {
        connection: client.duplicate({ maxRetriesPerRequest: null }),
        prefix: QUEUE_PREFIX,
      }),
    );
  }

  test('tells steps and result of a job, of which nothing stays', async () => {
    answer(async (running) => {
      await running.updateProgress({ step: 'Building' });
      return published;
    });
    await queue.add(job('a'), once, signal);
    await eventually(() => heard.some(([name, news]) => name === 'a' && typeof news === 'object'));
    expect(heard.filter(([name]) => name === 'a')).toEqual([
      ['a', 'Building'],
      ['a', published],
    ]);
    expect(await client.keys('*:a*')).toEqual([]);
  });

  test('has one job of a name, and a new one once that ended', async () => {
    const bullmq = new Queue(IMAGE_QUEUE, { connection: client, prefix: QUEUE_PREFIX });
    for (let time = 0; time < 3; time += 1) await queue.add(job('a'), once, signal);
    expect(await bullmq.getJobCountByTypes('prioritized', 'waiting', 'active')).toBe(1);
    const runs: string[] = [];
    answer(async ({ id = '' }) => {
      runs.push(id);
      return published;
    });
    await eventually(() => isHeard('a'));
    await queue.add(job('a'), once, signal);
    await eventually(() => runs.length === 2);
  });

  test('hands out what most clusters wait for first, and a kernel of one cluster last', async () => {
    await queue.add(job('one'), { weight: 1 }, signal);
    await queue.add(job('thousand'), { weight: 1000 }, signal);
    await queue.add(job('ten'), { weight: 10 }, signal);
    const order: string[] = [];
    answer(async ({ id = '' }) => void order.push(id));
    await eventually(() => order.length === 3);
    expect(order).toEqual(['thousand', 'ten', 'one']);
  });

  test('takes a job out, and is content when there is none', async () => {
    await queue.add(job('a'), once, signal);
    await queue.remove('a', signal);
    await queue.remove('a', signal);
    expect(await client.keys('*:a')).toEqual([]);
  });

  test('tells a worker that threw as a failure to be tried again, and removes its job', async () => {
    answer(async () => {
      throw new Error('out of memory');
    });
    await queue.add(job('a'), once, signal);
    await eventually(() => isHeard('a'));
    const message = 'the worker failed: out of memory';
    expect(heard.at(-1)).toEqual(['a', { outcome: 'Failed', reason: 'WorkerFailed', message, retry: 'backoff' }]);
    expect(await client.keys('*:a')).toEqual([]);
  });

  test('listens on after an answer that is none', async () => {
    answer(async ({ id }) => (id === 'a' ? { outcome: 'Published', recipeKey: 'k', digest: 'evil' } : published));
    await queue.add(job('a'), once, signal);
    await eventually(() => isHeard('a'));
    await queue.add(job('b'), once, signal);
    await eventually(() => isHeard('b'));
    expect(heard.filter(([name]) => name !== 'connected')).toEqual([
      ['a', expect.objectContaining({ outcome: 'Failed', reason: 'WorkerFailed' })],
      ['b', published],
    ]);
  });

  test('refuses at once while Redis is away, tells when it is back, and hears results again', async () => {
    heard = [];
    await redis.process.kill9();
    await eventually(() => queue.problems().length > 0);
    const adding = queue.add(job('a'), once, signal);
    await expect(adding).rejects.toThrow(QueueUnreachableError);
    await redis.process.restart(signal);
    await eventually(() => isHeard('connected') && queue.problems().length === 0);
    answer(async () => published);
    await queue.add(job('a'), once, signal);
    await eventually(() => isHeard('a'));
    expect(heard.at(-1)).toEqual(['a', published]);
  });

  test('lets an abort end a call to a Redis that hangs', async () => {
    redis.process.pause();
    try {
      const stopping = new AbortController();
      const adding = queue.add(job('a'), once, stopping.signal);
      stopping.abort(new Error('the hub stops'));
      await expect(adding).rejects.toThrow('the hub stops');
    } finally {
      redis.process.resume();
    }
  });
});
