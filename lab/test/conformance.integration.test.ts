import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { ConformanceReport } from '../src/conformance/report.ts';
import { checkout } from '../src/host/config.ts';

// `npm run conformance:work` as a person runs it, without the set-up of the machine.

const main = join(checkout, 'lab/src/conformance/main.ts');
/** A test's machine may be busy: limits bound failures, and a right agent is not kept waiting by them. */
const patience = ['--patience', '8'];
const LIMIT_MS = 900_000;

type Run = { code: number | null; stdout: string; stderr: string };

function run(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(execPath, [main, ...args], { maxBuffer: 2 ** 24 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

const reportOf = ({ stdout }: Run) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as ConformanceReport;

test('our work agent does right in every case that takes no minutes, under its shipped roles', {
  timeout: LIMIT_MS,
}, async () => {
  const ended = await run('--json', ...patience);
  const { cases, ...sum } = reportOf(ended);
  expect(cases.filter(({ result }) => result === 'failed')).toEqual([]);
  expect(cases.flatMap(({ number, result }) => (result === 'skipped' ? [number] : []))).toEqual([
    ...['26-slow', '30-slow', '31-slow'],
  ]);
  expect(sum).toEqual({ ok: true, passed: 34, failed: 0, skipped: 3 });
  expect(ended.code).toBe(0);
});

test('an agent that ends fails the run with its last words', { timeout: LIMIT_MS }, async () => {
  const agent = "sh -c 'echo no hub at {hub}, {spoke}, {cluster}; exit 3'";
  const ended = await run('--json', '--cases', '1,2', '--agent', agent);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(
    /the agent ended with code 3:\nno hub at .*agent-on-hub.kubeconfig, .*agent-on-spoke.kubeconfig, c1/,
  );
  expect(reportOf(ended)).toMatchObject({ ok: false, passed: 0, failed: 2, skipped: 0 });
  const [, folder = ''] = /The logs of this run are in (.*)\.$/m.exec(ended.stdout) ?? [];
  expect(await readFile(join(folder, 'agent.log'), 'utf8')).toContain('no hub at');
  await rm(folder, { recursive: true });
});

test('a stop ends everything that was started', { timeout: LIMIT_MS }, async () => {
  const child = spawn(execPath, [main, '--cases', '25'], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('agent started')) break;
  const started = await childrenOf(child.pid ?? 0);
  expect(started.length).toBeGreaterThanOrEqual(7); // two control planes of three programs, and the agent
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
  await expect.poll(() => Promise.all(started.map(isRunning)), { timeout: 60_000 }).not.toContain(true);
});

test.each([
  ['a case that does not exist', ['--cases', '99'], 'there is no case 99'],
  ['patience that is no number', ['--patience', 'much'], 'much is no number of factor'],
])('%s is wrong usage', async (_what, args, words) => {
  const ended = await run(...args);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(words);
});

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const parents = await Promise.all(pids.map(parentOf));
  return pids.filter((_, index) => parents[index] === parent);
}

const parentOf = async (pid: number) => Number((await statOf(pid))?.[1]);
const isRunning = async (pid: number) => ((await statOf(pid))?.[0] ?? 'Z') !== 'Z';

/** State and parent of a process (proc(5), stat); undefined when it is gone. */
async function statOf(pid: number): Promise<string[] | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT' || (err as NodeJS.ErrnoException).code === 'ESRCH')
      return undefined;
    throw err;
  }
}
