import { kubeEvent, type ModuleImage } from '@kmm-hub/api-types';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Executor } from '../../queue/src/executors/executor.ts';
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
  startWorker,
  writeDockerfile,
} from './hub-world.ts';

const KERNEL = '6.1.0-53-cloud-amd64';

describe('an image that is on its way', () => {
  let world: HubWorld;
  let redis: Redis;
  let hub: Running;
  const workers = new Set<Running>();

  beforeAll(async () => {
    world = await startHubWorld();
    redis = new Redis(world.redis.url);
    redis.on('error', () => undefined); // it is restarted on purpose
  });
  afterAll(async () => {
    redis?.disconnect();
    await world?.stop();
  });
  beforeEach(async () => {
    hub = await startHub(world);
  });
  afterEach(async () => {
    for (const worker of workers) await worker.stop();
    workers.clear();
    await hub.stop();
  });

  async function work(executor?: Executor): Promise<Running> {
    const worker = await startWorker(world, executor);
    workers.add(worker);
    return worker;
  }
  async function wantImage(name: string): Promise<void> {
    await joinCluster(world, { name, labels: { test: name }, kernels: [KERNEL] });
    await writeDockerfile(world.admin, name, dockerfile(world.base, `RUN echo ${name}`));
    await world.admin.create(modules, moduleFor(world, name, { build: { dockerfileConfigMap: { name } } }), signal);
  }
  const idOf = (name: string) => moduleImageName(`${world.registry.host}/${name}:${KERNEL}`);
  const imageOf = (name: string) => world.admin.getIfPresent(images, { name: idOf(name) }, signal);
  const isIn = (phase: string) => (image: ModuleImage | undefined) => image?.status?.phase === phase;
  const isQueued = async (name: string) => (await redis.exists(`{kmm-hub}:module-images:${idOf(name)}`)) === 1;
  const queued = (name: string) => eventually(() => isQueued(name), Boolean);
  /** A worker has the job: if that one is gone, nobody else gets it before its lock ends. */
  const isTaken = async (name: string) => (await redis.lpos('{kmm-hub}:module-images:active', idOf(name))) !== null;
  const eventsOf = async (name: string) => {
    const { items } = await world.admin.list(kubeEvent, { namespace: 'default' }, signal);
    return items.filter(({ involvedObject }) => involvedObject.name === idOf(name)).map(({ reason }) => reason);
  };

  /** Builds for real, and stays in the last step until it is aborted. `reached` resolves in that step. */
  function endlessExecutor() {
    const reached = Promise.withResolvers<void>();
    const executor: Executor = {
      build(request, stopping) {
        const endless = request.dockerfile.replace(
          'FROM scratch',
          'RUN echo "in the middle"; busybox sleep 300\nFROM scratch',
        );
        const onLog = (line: string) => {
          if (line === 'in the middle') reached.resolve();
          request.onLog(line);
        };
        return world.executor.build({ ...request, dockerfile: endless, onLog }, stopping);
      },
    };
    return { executor, reached: reached.promise };
  }

  /** Builds for real, once it is released. `started` resolves when a build waits for that. */
  function heldExecutor() {
    const started = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const executor: Executor = {
      async build(request, stopping) {
        started.resolve();
        await released.promise;
        return world.executor.build(request, stopping);
      },
    };
    return { executor, started: started.promise, release: released.resolve };
  }

  test('leaves nothing but its log in Redis when it is published', async () => {
    await work();
    await wantImage('tidy');
    await eventually(() => imageOf('tidy'), isIn('Published'));
    expect(
      await eventually(
        () => redis.keys(`*${idOf('tidy')}*`),
        ({ length }) => length === 1,
      ),
    ).toEqual([`{kmm-hub}:build-log:${idOf('tidy')}`]);
  });

  test('is published although Redis was emptied while its job waited', async () => {
    await wantImage('flushed');
    await queued('flushed');
    await redis.flushall();
    await work();
    const image = await eventually(() => imageOf('flushed'), isIn('Published'));
    expect(image?.status).toMatchObject({ builds: 1, reused: false });
  });

  test('is published although Redis was restarted empty while its job waited, as soon as Redis is back', async () => {
    await wantImage('restarted');
    await queued('restarted');
    await world.redis.process.kill9();
    await world.redis.process.restart(signal);
    await queued('restarted');
    await work();
    const image = await eventually(() => imageOf('restarted'), isIn('Published'));
    expect(image?.status).toMatchObject({ builds: 1, reused: false });
  });

  test('is given back by a worker that stops in the middle of the build, and made by another one', async () => {
    const { executor, reached } = endlessExecutor();
    const first = await work(executor);
    await wantImage('handed');
    await reached;
    expect(await isTaken('handed')).toBe(true);
    await first.stop();
    workers.delete(first);
    expect([await isQueued('handed'), await isTaken('handed')]).toEqual([true, false]);
    await work();
    const image = await eventually(() => imageOf('handed'), isIn('Published'));
    expect(image?.status).toMatchObject({ builds: 1, reused: false });
    const reasons = await eventually(
      () => eventsOf('handed'),
      (told) => told.includes('Published'),
    );
    expect(reasons).toEqual(['Published']); // stopping a worker is no failure, whose Event would have come before
  });

  test('is found by a hub that starts again while it is built', async () => {
    const held = heldExecutor();
    await work(held.executor);
    await wantImage('orphaned');
    await held.started;
    await hub.stop();
    hub = await startHub(world);
    held.release();
    const image = await eventually(() => imageOf('orphaned'), isIn('Published'));
    expect(image?.status?.digest).toMatch(/^sha256:/);
  });

  test('is found by a hub that starts again after it was built', async () => {
    const held = heldExecutor();
    await work(held.executor);
    await wantImage('missed');
    await held.started;
    await hub.stop();
    held.release();
    await eventually(
      () => isQueued('missed'),
      (queuedStill) => !queuedStill,
    );
    hub = await startHub(world);
    const image = await eventually(() => imageOf('missed'), isIn('Published'));
    const contentKey = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(image?.status).toMatchObject({ reused: false, builds: 1, contentKey }); // found, and known for its own build
  });
});
