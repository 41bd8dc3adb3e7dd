import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { metricsRegistry } from '@kmm-hub/kube';
import { type Redis, runFolder, startRedis, waitFor } from '@kmm-hub/lab';
import { afterAll, beforeAll, test } from 'vitest';
import { jobPriorities } from '../src/client/image-job.ts';
import { ImageQueue } from '../src/client/index.ts';
import { jobCounts } from '../src/job-metrics.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const registry = metricsRegistry();
let folder: string;
let redis: Redis;
let counts: AsyncDisposable;
let queue: ImageQueue;

beforeAll(async () => {
  folder = await runFolder('test-worker-metrics');
  redis = await startRedis({ folder: join(folder, 'redis'), signal });
  counts = jobCounts(registry, redis.url);
  const ignore = () => undefined;
  queue = new ImageQueue(redis.url, { onResult: ignore, onStep: ignore, onHint: ignore, onConnected: ignore });
});
afterAll(async () => {
  await Promise.all([queue?.close(), counts?.[Symbol.asyncDispose]()]);
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function untilTold(wanted: string[]): Promise<void> {
  const check = async () => {
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('kmm_hub_jobs{'));
    return lines.join() === wanted.join() ? true : undefined;
  };
  await waitFor({ what: `metrics ${wanted.join()}`, check, timeoutMs: 120_000, signal });
}

test('jobs are told by state, and none are told while Redis does not answer', async () => {
  const states = (prioritized: number) => [
    `kmm_hub_jobs{state="prioritized"} ${prioritized}`,
    ...['wait', 'delayed', 'active'].map((state) => `kmm_hub_jobs{state="${state}"} 0`),
  ];
  await untilTold(states(0));
  for (const name of ['a', 'b']) {
    await queue.add({ name, uid: 'u', generation: 1 }, { priority: jobPriorities.normal }, signal);
  }
  await untilTold(states(2));
  redis.process.pause();
  try {
    await untilTold([]);
  } finally {
    redis.process.resume();
  }
  await untilTold(states(2));
});
