import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const program = new URL('./ending-process.ts', import.meta.url).pathname;

async function run(how: string, signal?: NodeJS.Signals) {
  const child = spawn(execPath, [program, how], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  if (signal !== undefined) {
    await once(child.stdout, 'data');
    child.kill(signal);
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  const [stdout, stderr] = await output;
  return { code, stdout, stderr };
}

test('a process that is done ends with 0', async () => {
  expect(await run('return')).toMatchObject({ code: 0, stderr: '' });
});

test('wrong usage is one line with its remedy, and exit code 2', async () => {
  expect(await run('usage')).toMatchObject({
    code: 2,
    stderr: 'ending: --flag is wrong. Run the command with --help to see its flags.\n',
  });
});

test.each([
  ['an error that nobody expected', 'mistake', 'a mistake'],
  ['a rejection that nobody awaits', 'rejection', 'nobody awaits'],
  ['an error in a callback', 'timer', 'Cannot read properties of undefined'],
])('%s is logged with its stack and ends the process with 1', async (_what, how, message) => {
  const { code, stdout, stderr } = await run(how);
  const [, line] = stdout.trim().split('\n');
  expect([code, stderr]).toEqual([1, '']);
  const logged = JSON.parse(line ?? '{}');
  expect(logged).toMatchObject({ level: 60, process: 'ending', msg: 'failed by a mistake in the program' });
  expect(logged.err.message).toContain(message);
  expect(logged.err.stack).toContain('ending-process.ts');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the work, and then the process with 0', async (signal) => {
  const { code, stdout, stderr } = await run('wait', signal);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('"msg":"stopping"');
});
