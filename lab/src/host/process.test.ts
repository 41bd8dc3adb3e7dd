import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProcess } from './process.ts';
import { startRestartable } from './restartable.ts';
import { waitFor } from './wait.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-process-'));
});
afterEach(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();
const shell = (script: string) => {
  const process = { name: 'demo', command: 'sh', args: ['-c', script], logFile: join(folder, 'demo.log'), signal };
  const logged = () => readFile(process.logFile, 'utf8');
  const readyWhenLogged = async (word: string) => expect(await logged()).toContain(word);
  return { process, logged, readyWhenLogged };
};

test('tells how a process ended that should have become ready, with its last lines', async () => {
  const { process } = shell('echo starting; echo no such flag >&2; exit 3');
  const ready = () => Promise.reject(new Error('not yet'));
  await expect(startProcess({ ...process, ready })).rejects.toMatchObject({
    code: 'ProcessExited',
    message: 'demo ended with code 3:\nstarting\nno such flag',
    remedy: `Its whole log is ${process.logFile}.`,
  });
});

test('gives up on a process that is not ready in time, says why, and ends it', async () => {
  const { process, logged } = shell('trap "echo ended; exit" TERM; echo $$; while :; do sleep 0.01; done');
  const ready = () => Promise.reject(new Error('connection refused'));
  await expect(startProcess({ ...process, ready, readyTimeoutMs: 2_000 })).rejects.toMatchObject({
    code: 'NotReady',
    message: 'demo was not ready within 2 s: connection refused',
  });
  expect(await logged()).toMatch(/^\d+\nended\n$/);
});

test('stops a process by asking first', async () => {
  const { process, readyWhenLogged } = shell('trap "exit 7" TERM; echo up; while :; do sleep 0.01; done');
  const running = await startProcess({ ...process, ready: () => readyWhenLogged('up') });
  expect(await running.stop()).toEqual({ code: 7, signal: null });
  expect(await running.stop()).toEqual({ code: 7, signal: null });
});

test('kills a process that does not listen, and those it has started', async () => {
  const { process, logged, readyWhenLogged } = shell(
    'trap "" TERM; sleep 600 & echo child $!; while :; do sleep 0.01; done',
  );
  const running = await startProcess({ ...process, ready: () => readyWhenLogged('child') });
  expect(await running.stop({ graceMs: 50 })).toEqual({ code: null, signal: 'SIGKILL' });
  const child = (await logged()).trim().split(' ')[1];
  const gone = async () => {
    const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => 'State:\tgone');
    return /^State:\s+(Z|gone)/m.test(status) ? true : undefined;
  };
  await waitFor({ what: 'the end of the child', check: gone, timeoutMs: 30_000, signal });
});

test('stops a paused process too', async () => {
  const { process, readyWhenLogged } = shell('trap "exit 7" TERM; echo up; while :; do sleep 0.01; done');
  const running = await startProcess({ ...process, ready: () => readyWhenLogged('up') });
  running.kill('SIGSTOP');
  expect(await running.stop()).toEqual({ code: 7, signal: null });
});

test('a start that is aborted leaves no process', async () => {
  const { process } = shell('while :; do sleep 0.01; done');
  const abort = new AbortController();
  const ready = () => {
    abort.abort(new Error('enough'));
    return Promise.reject(new Error('not yet'));
  };
  await expect(startProcess({ ...process, ready, signal: abort.signal })).rejects.toThrow('enough');
});

test('a program sees only the short environment and what it is given', async () => {
  const { process, logged } = shell('env | cut -d= -f1 | sort | grep -E "^(KUBECONFIG|PATH|GIVEN|VITEST)$"');
  const running = await startProcess({ ...process, env: { GIVEN: 'yes' } });
  await running.exited;
  expect(await logged()).toBe('GIVEN\nPATH\n');
});

test('a crashed server starts again with the same arguments and appends to its log', async () => {
  const { process, logged, readyWhenLogged } = shell('echo up; while :; do sleep 0.01; done');
  const server = await startRestartable({ ...process, ready: () => readyWhenLogged('up') });
  const firstPid = server.pid;
  await server.kill9();
  await server.restart(signal);
  expect(server.pid).not.toBe(firstPid);
  await waitFor({
    what: 'log',
    check: async () => ((await logged()) === 'up\nup\n' ? true : undefined),
    timeoutMs: 30_000,
    signal,
  });
  expect(await server.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});
