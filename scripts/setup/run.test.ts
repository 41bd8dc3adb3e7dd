import { expect, test } from 'vitest';
import { run } from './run.mjs';

const sh = (script: string) => run('sh', ['-c', script]);

test('gives what a program wrote to stdout', async () => {
  expect(await sh('echo out; echo err >&2')).toBe('out\n');
});

test.each([
  ['write /x: no space left on device', 'The disk is full: free some space and start again.'],
  [
    "Temporary failure resolving 'a.example'",
    'The network is not reachable: check it (and the proxy settings), then start again.',
  ],
])('knows what to do about: %s', async (words, remedy) => {
  await expect(run('sh', ['-c', 'echo "$0" >&2; exit 4', words])).rejects.toMatchObject({
    name: 'SetupError',
    message: `sh -c failed (exit code 4):\n${words}`,
    remedy,
  });
});

test('shows the beginning and the end of a long complaint', async () => {
  await expect(sh('seq 100; exit 1')).rejects.toMatchObject({
    message: expect.stringMatching(/:\n1\n2\n3\n4\n5\n6\n95\n96\n97\n98\n99\n100$/),
  });
});

test('names a program that is not there', async () => {
  await expect(run('no-such-program', [])).rejects.toMatchObject({ message: 'no-such-program is not installed' });
});
