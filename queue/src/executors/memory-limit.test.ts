import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limitMemory } from './memory-limit.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cgroup-'));
  await mkdir(join(root, 'proc/self'), { recursive: true });
  await mkdir(join(root, 'sys/fs/cgroup/worker'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('nothing is limited when no bound is asked for', async () => {
  await using limit = await limitMemory('build', undefined, root);
  expect(limit).toMatchObject({ kind: 'none', joinFile: undefined, ulimits: [] });
});

test.each([
  ['has no cgroups at all', []],
  ['has version 1', ['3:memory:/worker\n']],
  ['did not hand the memory controller down', ['0::/worker\n', 'cgroup.controllers']],
])('each process is limited where the machine %s', async (_case, [cgroup, controllers]) => {
  if (cgroup !== undefined) await writeFile(join(root, 'proc/self/cgroup'), cgroup);
  if (controllers !== undefined) await writeFile(join(root, 'sys/fs/cgroup', controllers), 'cpu\n');
  await using limit = await limitMemory('build', 64, root);
  expect(limit).toMatchObject({
    kind: 'prlimit',
    joinFile: undefined,
    ulimits: ['--ulimit', `data=${64 * 1024 * 1024}`],
  });
  expect(await readdir(join(root, 'sys/fs/cgroup/worker'))).toEqual([]);
});
