import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startHealthServer } from './health-server.ts';
import { metricsRegistry, reconcileMetrics } from './metrics.ts';
import { queueMetrics } from './queue-metrics.ts';
import { WorkQueue } from './work-queue.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A port that was free a moment ago (0 means no server), below those that Linux gives to outgoing connections. */
async function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_000);
  const server = createServer().listen(port, '127.0.0.1');
  const listens = await once(server, 'listening').catch(() => undefined);
  server.close();
  return listens === undefined ? freePort() : port;
}

async function start(problems: () => string[] = () => [], role?: () => string) {
  const stop = new AbortController();
  stops.push(stop);
  const registry = metricsRegistry();
  const options = { port: await freePort(), host: '127.0.0.1', problems, ...(role && { role }), registry };
  const port = await startHealthServer(options, stop.signal);
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()] as const;
  };
  return { options, registry, stop, ask };
}

test('is ready as long as nothing keeps the process from its work, and alive anyway', async () => {
  const problems: string[] = [];
  const { ask } = await start(() => problems);
  expect(await ask('/readyz')).toEqual([200, 'ok\n']);
  problems.push('nodes: not listed yet', 'Redis does not answer');
  expect(await ask('/readyz?verbose')).toEqual([503, 'nodes: not listed yet\nRedis does not answer\n']);
  expect(await ask('/healthz')).toEqual([200, 'ok\n']);
  expect((await ask('/other'))[0]).toBe(404);
});

test('a standby is ready and says so, unless it could not take over', async () => {
  const problems: string[] = [];
  const { ask } = await start(
    () => problems,
    () => 'standby',
  );
  expect(await ask('/readyz')).toEqual([200, 'ok: standby\n']);
  problems.push('nodes: not listed yet');
  expect(await ask('/readyz')).toEqual([503, 'nodes: not listed yet\n']);
});

test('a reason that cannot be told is an answer too', async () => {
  const { ask } = await start(() => {
    throw new Error('no reason');
  });
  expect(await ask('/readyz')).toEqual([500, 'no reason\n']);
});

test('serves every series from zero on, and the depth of the queues as of now', async () => {
  const { ask, registry } = await start();
  const count = reconcileMetrics(registry, ['works']);
  const queue = new WorkQueue();
  queueMetrics(registry, [{ name: 'works', queue }]);
  count('works', 'panic', 30);
  queue.add('a');
  const [, text] = await ask('/metrics');
  expect(text).toContain('kmm_hub_reconcile_total{controller="works",result="timeout"} 0');
  expect(text).toContain('kmm_hub_reconcile_total{controller="works",result="panic"} 1');
  expect(text).toContain('kmm_hub_reconcile_duration_seconds_bucket{le="0.1",controller="works",result="panic"} 1');
  expect(text).toContain('workqueue_depth{name="works"} 1');
});

test('a port that is taken is named as a mistake in the flag', async () => {
  const { options } = await start();
  const second = startHealthServer(options, new AbortController().signal);
  await expect(second).rejects.toMatchObject({
    code: 'WrongUsage',
    message: expect.stringContaining(`--health-port ${options.port}`),
  });
});

test('ends with its signal', async () => {
  const { stop, ask } = await start();
  stop.abort();
  await expect(ask('/healthz')).rejects.toThrow();
});
