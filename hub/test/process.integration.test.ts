import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { checkout, type Redis, startRedis } from '@kmm-hub/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { eventually, signal } from './hub-world.ts';

/** `used` is a port that something listens on. */
type Mistake = { args: (used: number) => string[]; code: number; words: string };
type Ended = { code: number | undefined; stdout: string; stderr: string };

/** Runs a process that is to end by itself. */
function run(entry: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: 120_000, killSignal: 'SIGKILL' as const };
    execFile(execPath, [join(checkout, entry), ...args], options, (err, stdout, stderr) => {
      const code = err === null ? 0 : err.code;
      resolve({ code: typeof code === 'number' ? code : undefined, stdout, stderr });
    });
  });
}

describe.each([
  ['hub', 'hub/src/main.ts'],
  ['worker', 'queue/src/worker.ts'],
])('the process %s', (name, entry) => {
  let folder: string;
  let redis: Redis;
  let kubeconfig: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kmm-process-'));
    redis = await startRedis({ folder: join(folder, 'redis'), signal });
    kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, unreachable(await freePort()));
  });
  afterAll(async () => {
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('tells its flags on --help', async () => {
    const { code, stdout, stderr } = await run(entry, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const flag of ['--kubeconfig', '--redis', '--namespace', '--health-port']) expect(stdout).toContain(flag);
  });

  test.each<[string, Mistake]>([
    ['an unknown flag', { args: () => ['--nope'], code: 2, words: "unknown option '--nope'" }],
    ['no Redis', { args: () => [], code: 2, words: '--redis is missing' }],
    ['a Redis that is no URL', { args: () => [...good(), '--redis', 'secret-word'], code: 2, words: 'no' }],
    ['a port that is none', { args: () => ['--health-port', 'x'], code: 2, words: 'whole number from 0 to 65535' }],
    ['a port in use', { args: (used) => [...good(), '--health-port', `${used}`], code: 2, words: 'cannot be used' }],
    ['no kubeconfig', { args: () => [...good(), '--kubeconfig', '/nowhere'], code: 1, words: '/nowhere' }],
  ])('ends with one line for %s', async (_mistake, { args, code, words }) => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    try {
      const ended = await run(entry, args((server.address() as AddressInfo).port));
      expect(ended.stderr).toMatch(new RegExp(`^${name}: [^\\n]+\\n$`));
      expect(ended.stderr).toContain(words);
      expect(ended.stderr).not.toContain('secret-word');
      expect(ended.code).toBe(code);
    } finally {
      server.close();
    }
  });
  const good = () => [
    ...['--redis', redis.url, '--kubeconfig', kubeconfig],
    ...(name === 'worker' ? ['--work-folder', join(folder, 'work')] : []),
  ];

  test.each<[string, () => Promise<string>, RegExp[]]>([
    [
      'an API server that is not reached',
      async () => redis.url,
      [/API server https:\S+ does not answer.*ECONNREFUSED/],
    ],
    ['a Redis that is down', async () => `redis://:x@127.0.0.1:${await freePort()}`, [/^Redis: .*ECONNREFUSED/m]],
    ['a wrong password of Redis', async () => `redis://:wrong@127.0.0.1:${redis.port}`, [/^Redis: .*WRONGPASS/m]],
  ])('waits for %s, says so in /readyz, and stops cleanly', async (_what, url, reasons) => {
    const port = await freePort();
    const logFile = join(folder, `${port}.log`);
    const running: RunningProcess = await startProcess({
      name,
      command: execPath,
      args: [join(checkout, entry), ...good(), '--redis', await url(), '--health-port', String(port)],
      logFile,
      ready: async (limit) => {
        const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: limit });
        expect(answer.status).toBe(200);
      },
      readyTimeoutMs: 120_000,
      signal,
    });
    try {
      const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`, { signal })).text();
      const said = await eventually(ready, (text) => reasons.every((reason) => reason.test(text)));
      expect(said).not.toMatch(/wrong@|^\s+at /m);
    } finally {
      // SIGKILL would follow after the grace: 0 means that it stopped by itself, in time
      expect(await running.stop({ graceMs: 60_000 })).toEqual({ code: 0, signal: null });
    }
    const log = await readFile(logFile, 'utf8');
    expect(log.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]); // JSON lines only
  });
});

function unreachable(port: number): string {
  const cluster = { name: 'c', cluster: { server: `https://127.0.0.1:${port}` } };
  const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
  const user = { name: 'u', user: { token: 't' } };
  const config = { clusters: [cluster], contexts: [context], users: [user], 'current-context': 'c' };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config });
}
