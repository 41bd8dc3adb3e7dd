import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { shellCommand } from './agent.ts';

const places = { hub: "/a b/it's.kubeconfig", spoke: '/spoke', cluster: 'c1' };

test('places are filled in as words of a shell, whatever is in them', async () => {
  const { command, args } = shellCommand("printf '%s|' {hub} --spoke={spoke} {cluster} {other}", places);
  const { stdout } = await promisify(execFile)(command, args);
  expect(stdout).toBe("/a b/it's.kubeconfig|--spoke=/spoke|c1|{other}|");
});

test('the shell gives its place to the program, which so gets the signals', async () => {
  const { command, args } = shellCommand("sh -c 'echo $PPID; echo $$'", places);
  const child = promisify(execFile)(command, args);
  const [, own] = (await child).stdout.split('\n');
  expect(Number(own)).toBe(child.child.pid);
});
