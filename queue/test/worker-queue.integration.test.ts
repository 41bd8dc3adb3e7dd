import { rm } from 'node:fs/promises';
import { type Redis, runFolder, startRedis, waitFor } from '@kmm-hub/lab';
import { type Job, Queue, QueueEventsProducer, Worker } from 'bullmq';
import { Redis as RedisClient } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HINT_EVENT, IMAGE_QUEUE, jobPriorities, QUEUE_PREFIX, workerName } from '../src/client/image-job.ts';
import { ImageQueue, type ImageResult, QueueUnreachableError } from '../src/client/index.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const digest = `sha256:${'a'.repeat(64)}`;
const published: ImageResult = { outcome: 'Published', recipeKey: 'k', digest, origin: 'Made', built: true };
const job = (name: string) => ({ name, uid: 'u', generation: 1 });
const normally = { priority: jobPriorities.normal };

describe('the queue of images', () => {
  let redis: Redis;
  let folder: string;
  let queue: ImageQueue;
  let heard: [string, unknown][];
  const workers: Worker[] = [];
  const connections: RedisClient[] = [];
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
      onHint: (name) => heard.push([name, 'hint']),
      onConnected: () => heard.push(['connected', '']),
    });
    await eventually(() => queue.problems().length === 0);
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.close();
    for (const connection of connections.splice(0)) connection.disconnect();
    await queue.close();
  });

  const eventually = (check: () => boolean) =>
    waitFor({ what: 'it', check: async () => check() || undefined, timeoutMs: 120_000, signal });
  const isHeard = (name: string) => heard.some(([about]) => about === name);
  /** A worker by BullMQ alone, whose answers the test decides. */
  function answer(process: (job: Job) => Promise<unknown>, concurrency = 1): void {
    const connection = client.duplicate({ maxRetriesPerRequest: null });
    connections.push(connection);
    const options = { connection, prefix: QUEUE_PREFIX, concurrency, name: workerName(concurrency) };
    workers.push(new Worker(IMAGE_QUEUE, process, options));
  }

  test('tells steps and result of a job, of which nothing stays', async () => {
    answer(async (running) => {
      await running.updateProgress({ step: 'Building' });
      return published;
    });
    await queue.add(job('a'), normally, signal);
    await eventually(() => heard.some(([name, news]) => name === 'a' && typeof news === 'object'));
    expect(heard.filter(([name]) => name === 'a')).toEqual([
      ['a', 'Building'],
      ['a', published],
    ]);
    expect(await client.keys('*:a*')).toEqual([]);
  });

  test('has one job of a name, and a new one once that ended', async () => {
    const bullmq = new Queue(IMAGE_QUEUE, { connection: client, prefix: QUEUE_PREFIX });
    for (let time = 0; time < 3; time += 1) await queue.add(job('a'), normally, signal);
    expect(await bullmq.getJobCountByTypes('prioritized', 'waiting', 'active')).toBe(1);
    const runs: string[] = [];
    answer(async ({ id = '' }) => {
      runs.push(id);
      return published;
    });
    await eventually(() => isHeard('a'));
    await queue.add(job('a'), normally, signal);
    await eventually(() => runs.length === 2);
  });

  test('hands out by priority, within one in the order they came, and a waiting job can be moved', async () => {
    await queue.add(job('last'), { priority: jobPriorities.last }, signal);
    await queue.add(job('moved'), { priority: jobPriorities.last }, signal);
    for (const name of ['one', 'two']) await queue.add(job(name), normally, signal);
    await queue.setPriority('moved', jobPriorities.first, signal);
    await queue.setPriority('gone', jobPriorities.first, signal); // it ended meanwhile
    const order: string[] = [];
    answer(async ({ id = '' }) => void order.push(id));
    await eventually(() => order.length === 4);
    expect(order).toEqual(['moved', 'one', 'two', 'last']);
  });

  test('tells which jobs there are, and whether a worker has them', async () => {
    const taken = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    answer(async () => {
      taken.resolve();
      await end.promise;
      return published;
    });
    await queue.add(job('a'), normally, signal);
    await taken.promise;
    await queue.add(job('b'), { priority: jobPriorities.last }, signal);
    expect(await queue.jobs(signal)).toEqual([
      { name: 'a', active: true, priority: 2 },
      { name: 'b', active: false, priority: 3 },
    ]);
    end.resolve();
    await eventually(() => isHeard('b'));
    expect(await queue.jobs(signal)).toEqual([]);
  });

  test('tells how many jobs all workers together work on at once, as they come and go', async () => {
    const reads = (wanted: number) =>
      waitFor({
        what: `a concurrency of ${wanted}`,
        check: async () => (await queue.concurrency(signal)) === wanted || undefined,
        timeoutMs: 120_000,
        signal,
      });
    await reads(0);
    answer(async () => published, 3);
    answer(async () => published, 4);
    await reads(7);
    await workers.shift()?.close();
    await reads(4);
  });

  test('hears what workers hint, which is a name and nothing else', async () => {
    const aWorker = new QueueEventsProducer(IMAGE_QUEUE, { connection: client, prefix: QUEUE_PREFIX });
    const hints = async () => {
      if (isHeard('a')) return true;
      await aWorker.publishEvent({ eventName: HINT_EVENT, name: 'a' }); // nobody hears one that comes too early
      return undefined;
    };
    await waitFor({ what: 'a hint', check: hints, timeoutMs: 120_000, signal });
    expect(heard.find(([name]) => name === 'a')).toEqual(['a', 'hint']);
  });

  test('takes a job out, and is content when there is none', async () => {
    await queue.add(job('a'), normally, signal);
    await queue.remove('a', signal);
    await queue.remove('a', signal);
    expect(await client.keys('*:a')).toEqual([]);
  });

  test('tells a worker that threw as a failure to be tried again, and removes its job', async () => {
    answer(async () => {
      throw new Error('out of memory');
    });
    await queue.add(job('a'), normally, signal);
    await eventually(() => isHeard('a'));
    const message = 'the worker failed: out of memory. Look at the log of the worker; the image is tried again.';
    expect(heard.at(-1)).toEqual(['a', { outcome: 'Failed', reason: 'WorkerFailed', message, retry: 'backoff' }]);
    expect(await client.keys('*:a')).toEqual([]);
  });

  test('listens on after an answer that is none', async () => {
    answer(async ({ id }) => (id === 'a' ? { outcome: 'Published', recipeKey: 'k', digest: 'evil' } : published));
    await queue.add(job('a'), normally, signal);
    await eventually(() => isHeard('a'));
    await queue.add(job('b'), normally, signal);
    await eventually(() => isHeard('b'));
    expect(heard.filter(([name]) => name !== 'connected')).toEqual([
      ['a', expect.objectContaining({ outcome: 'Failed', reason: 'MalformedResult' })],
      ['b', published],
    ]);
  });

  test('listens on after an event that cannot even be read', async () => {
    answer(async () => published);
    await queue.add(job('first'), normally, signal);
    await eventually(() => isHeard('first'));
    await client.xadd(
      `${QUEUE_PREFIX}:${IMAGE_QUEUE}:events`,
      '*',
      'event',
      'completed',
      'jobId',
      'a',
      'returnvalue',
      '{',
    );
    const asks = async () => {
      if (isHeard('b')) return true;
      await queue.add(job('b'), normally, signal); // as the hub does when no answer comes
      return undefined;
    };
    await waitFor({ what: 'an answer', check: asks, timeoutMs: 120_000, signal });
    expect(isHeard('a')).toBe(false);
  });

  test('refuses at once while Redis is away, tells when it is back, and hears results again', async () => {
    heard = [];
    await redis.process.kill9();
    await eventually(() => queue.problems().length > 0);
    const adding = queue.add(job('a'), normally, signal);
    await expect(adding).rejects.toThrow(QueueUnreachableError);
    await redis.process.restart(signal);
    await eventually(() => isHeard('connected') && queue.problems().length === 0);
    answer(async () => published);
    await queue.add(job('a'), normally, signal);
    await eventually(() => isHeard('a'));
    expect(heard.at(-1)).toEqual(['a', published]);
  });

  test('lets an abort end a call to a Redis that hangs', async () => {
    redis.process.pause();
    try {
      const stopping = new AbortController();
      const adding = queue.add(job('a'), normally, stopping.signal);
      stopping.abort(new Error('the hub stops'));
      await expect(adding).rejects.toThrow('the hub stops');
    } finally {
      redis.process.resume();
    }
  });
});
