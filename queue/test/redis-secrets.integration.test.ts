import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HUB_NAMESPACE, type ModuleImageSpec } from '@kmm-hub/api-types';
import { type Redis, startRedis, waitFor } from '@kmm-hub/lab';
import { Redis as RedisClient } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IMAGE_QUEUE, jobPriorities, QUEUE_PREFIX } from '../src/client/image-job.ts';
import { BuildLogReader, ImageQueue } from '../src/client/index.ts';
import { createBuildahExecutor } from '../src/executors/buildah-executor.ts';
import { ImageWorker } from '../src/worker/image-worker.ts';
import { pushBusybox } from './build-fixture.ts';
import { hearing } from './hearing-executor.ts';
import {
  KERNEL,
  recipeFor,
  registryAuth,
  signal,
  startWorkerWorld,
  type WorkerWorld,
  wantImage,
  writeSecret,
  writeSigningPair,
} from './worker-world.ts';

// A worker at work with Secrets of every kind: what Redis ever held is in its append-only file, in the order it came.

const LIMIT_MS = 120_000;
const MODULE = `/opt/lib/modules/${KERNEL}/demo.ko`;
const token = `token-${randomUUID()}`;
/** One Secret's value of two lines, as a PEM has them. */
const lines = [randomUUID(), randomUUID()];
const brokenKey = `no key ${randomUUID()}`;

const stack = new AsyncDisposableStack();
let world: WorkerWorld;
let redis: Redis;
let client: RedisClient;
let queue: ImageQueue;
let logs: BuildLogReader;
let signingKey: string;

beforeAll(async () => {
  world = await startWorkerWorld();
  stack.defer(() => world.stop());
  redis = stack.use(await startRedis({ folder: join(world.folder, 'redis'), persistent: true, signal }));
  client = stack.adopt(new RedisClient(redis.url), (connection) => connection.disconnect());
  logs = stack.use(new BuildLogReader(redis.url));
  const ignore = () => undefined;
  const listener = { onResult: ignore, onStep: ignore, onHint: ignore, onConnected: ignore };
  queue = stack.adopt(new ImageQueue(redis.url, listener), (one) => one.close());
  signingKey = await writeSigningPair(world);
  await writeSecret(world.admin, 'build-token', { token, lines: lines.join('\n') });
  await writeSecret(world.admin, 'broken-key', { key: brokenKey });
  await pushBusybox(world.pusher, `${world.registry.host}/base/busybox:1`);
  stack.use(startWorker());
});
afterAll(() => stack.disposeAsync());

function startWorker(): AsyncDisposable {
  const { client: kube, folder, workFolder } = world;
  const builder = stack.use(createBuildahExecutor({ folder: join(folder, 'storage'), maxCacheMiB: 200 }));
  const place = { namespace: HUB_NAMESPACE, workFolder, buildTimeoutMs: LIMIT_MS };
  const deps = { client: kube, executor: hearing(builder), log: pino({ level: 'silent' }), ...place };
  return new ImageWorker({ ...deps, redisUrl: redis.url, concurrency: 1 });
}

const eventually = <T>(what: string, check: () => Promise<T | undefined>) =>
  waitFor({ what, check, timeoutMs: LIMIT_MS, signal });

/** All that was ever written to Redis, once a last word of ours is in it. */
async function allOfRedis(): Promise<Buffer> {
  const last = randomUUID();
  await client.set('last', last);
  const folder = join(world.folder, 'redis/appendonlydir');
  return eventually('append-only file of Redis', async () => {
    const files = await readdir(folder);
    const all = Buffer.concat(await Promise.all(files.map((file) => readFile(join(folder, file)))));
    return all.includes(last) ? all : undefined;
  });
}

/** Line by line, as logs would have it: as it is, and as bytes are written. The end of base64 depends on what follows. */
const formsOf = (secret: string) =>
  secret
    .split('\n')
    .filter((line) => line.length > 0 && !line.startsWith('-----'))
    .flatMap((line) => [line, Buffer.from(line).toString('base64').slice(0, -4), Buffer.from(line).toString('hex')]);

/** Has an image made; gives the last line of its log, once the job has left the queue. */
async function endOf(steps: string[], sign?: ModuleImageSpec['sign']): Promise<string> {
  const name = randomUUID();
  const build = [`FROM ${world.registry.host}/base/busybox:1 AS builder`, ...steps];
  const dockerfile = [...build, 'FROM scratch', 'COPY --from=builder /opt /opt'].join('\n');
  const recipe = await recipeFor(world, name, dockerfile);
  const withSecret = { ...recipe.build, secrets: [{ name: 'build-token' }] };
  const spec = { ...recipe, build: withSecret, ...(sign && { sign }) } as ModuleImageSpec;
  await eventually('connection to Redis', async () => queue.problems().length === 0 || undefined);
  await queue.add(await wantImage(world.admin, name, spec), { priority: jobPriorities.normal }, signal);
  return eventually('end of the job', async () => {
    const [last] = await logs.read(name, 1);
    const isOver = last?.kind === 'end' && (await client.exists(`${QUEUE_PREFIX}:${IMAGE_QUEUE}:${name}`)) === 0;
    return isOver ? last.text : undefined;
  });
}

test('no Secret that a job reads is ever in Redis, whatever its build prints and however it ends', async () => {
  const show = 'RUN for key in token lines; do echo "$key: $(busybox cat /run/secrets/build-token/$key)"; done';
  const make = `RUN busybox mkdir -p ${dirname(MODULE)} && echo module > ${MODULE}`;
  const sign = { keySecret: 'signing-key', certSecret: 'signing-cert', filesToSign: [MODULE] };
  expect(await endOf([show, make], sign)).toMatch(/^Published: sha256:/);
  expect(await endOf([`${show}; exit 3`])).toBe('Failed: BuildFailed');
  expect(await endOf([make], { ...sign, keySecret: 'broken-key' })).toBe('Failed: SigningKeyUnusable');
  const all = await allOfRedis();
  const secrets = [token, lines.join('\n'), signingKey, brokenKey, registryAuth];
  expect(secrets.flatMap(formsOf).filter((form) => all.includes(form))).toEqual([]);
  for (const shown of ['token: ***', `signed ${MODULE}`, '"outcome":"Published"', '"reason":"BuildFailed"']) {
    expect(all.includes(shown), shown).toBe(true); // else nothing is proven by what is not there
  }
});
