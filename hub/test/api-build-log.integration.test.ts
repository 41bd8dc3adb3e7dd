import { rm } from 'node:fs/promises';
import { type Redis, runFolder, startRedis, waitFor } from '@kmm-hub/lab';
import { Redis as RedisClient } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BuildLogEntry, buildLogKey, buildLogLimits } from '../../queue/src/client/build-log.ts';
import { BuildLogReader } from '../../queue/src/client/build-log-reader.ts';
import { BuildLogs } from '../../queue/src/client/build-log-writer.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const IMAGE = 'a'.repeat(40);

describe('build logs in Redis', () => {
  let folder: string;
  let redis: Redis;
  let client: RedisClient;
  let logs: BuildLogs;
  let reader: BuildLogReader;
  beforeAll(async () => {
    folder = await runFolder('test-build-log');
    redis = await startRedis({ folder, signal });
    client = new RedisClient(redis.url);
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await client.flushall();
    logs = new BuildLogs(redis.url, pino({ level: 'silent' }));
    reader = new BuildLogReader(redis.url);
    await waitFor({ what: 'Redis', check: () => reader.read(IMAGE), timeoutMs: 60_000, signal });
  });
  afterEach(() => {
    logs[Symbol.dispose]();
    reader[Symbol.dispose]();
  });

  const said = (entries: BuildLogEntry[]) => entries.map(({ kind, text }) => `${kind} ${text}`);

  test('are read as they were written, and outlive their writer for a day', async () => {
    const log = logs.open(IMAGE);
    log.add('step', 'Building');
    log.add('line', 'cc -c hello.c');
    log.add('end', 'Failed: BuildFailed');
    await log.flush();
    expect(said(await reader.read(IMAGE))).toEqual(['step Building', 'line cc -c hello.c', 'end Failed: BuildFailed']);
    expect(said(await reader.read(IMAGE, 1))).toEqual(['end Failed: BuildFailed']);
    const leftMs = await client.pttl(buildLogKey(IMAGE));
    expect(leftMs).toBeGreaterThan(buildLogLimits.keepMs - 600_000);
    expect(leftMs).toBeLessThanOrEqual(buildLogLimits.keepMs);
  });

  test('keep the newest 2,000 entries', async () => {
    const log = logs.open(IMAGE);
    for (let line = 1; line <= buildLogLimits.entries; line += 1) log.add('line', `${line}`);
    await log.flush();
    for (let line = 1; line <= 150; line += 1) log.add('line', `more ${line}`);
    await log.flush();
    const lines = (await reader.read(IMAGE)).map(({ text }) => text);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([2_000, '151', 'more 150']);
  });

  test('keep the newest 256 KiB over all attempts, however long lines are', async () => {
    for (const attempt of ['first', 'second']) {
      const log = logs.open(IMAGE);
      for (let line = 0; line < 100; line += 1) log.add('line', attempt.padEnd(10_000, '.'));
      await log.flush();
    }
    const lines = (await reader.read(IMAGE)).map(({ text }) => text);
    expect(lines.map((text) => text.length)).toEqual(Array(64).fill(4_096));
    expect(lines.every((text) => text.startsWith('second'))).toBe(true);
  });

  test('are followed line by line from where the reader is, and over the end of an attempt', async () => {
    const log = logs.open(IMAGE);
    log.add('line', 'one');
    await log.flush();
    const [first] = await reader.read(IMAGE);
    log.add('line', 'two');
    const following = new AbortController();
    const heard: string[] = [];
    for await (const entries of reader.follow(IMAGE, first?.id, following.signal)) {
      heard.push(...said(entries));
      if (heard.length === 1) log.add('end', 'Failed: BuildFailed');
      if (heard.length === 2) log.add('step', 'Looking');
      if (heard.length === 3) following.abort();
    }
    expect(heard).toEqual(['line two', 'end Failed: BuildFailed', 'step Looking']);
  });

  test('a follower of a log that is not there yet hears its beginning', async () => {
    const following = new AbortController();
    const heard: string[] = [];
    for await (const entries of reader.follow(IMAGE, undefined, following.signal)) {
      if (entries.length === 0) {
        const log = logs.open(IMAGE);
        log.add('step', 'Looking');
        await log.flush();
      }
      heard.push(...said(entries));
      if (heard.length > 0) following.abort();
    }
    expect(heard).toEqual(['step Looking']);
  });

  test('a follower that goes away leaves no connection behind', async () => {
    const waiters = async () => Number(/blocked_clients:(\d+)/.exec(await client.info('clients'))?.[1]);
    const become = (count: number) =>
      waitFor({
        what: `${count} followers`,
        check: async () => (await waiters()) === count || undefined,
        timeoutMs: 60_000,
        signal,
      });
    const following = new AbortController();
    const quiet = reader.follow(IMAGE, undefined, following.signal);
    const waiting = quiet.next();
    await become(1);
    following.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await become(0);
  });

  test('what is in Redis and no entry of ours is a line', async () => {
    await client.xadd(buildLogKey(IMAGE), '*', 'text', 'x'.repeat(10_000), 'kind', 'reboot');
    await client.xadd(buildLogKey(IMAGE), '*', 'other', 'text');
    const entries = await reader.read(IMAGE);
    expect(entries.map(({ kind, text }) => [kind, text.length])).toEqual([
      ['line', 4_096],
      ['line', 0],
    ]);
  });
});
