import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { HostRoot } from './host-root.ts';
import { HostFileTooLargeError, OutsideHostRootError } from './host-root-errors.ts';
import { hostTree } from './test/host-tree.ts';

test('takes an absolute link for one that starts at the host root', async () => {
  await using root = await hostTree({ 'usr/lib/os-release': 'ID=node\n', 'etc/os-release': '-> /usr/lib/os-release' });
  expect(await root.host.read('etc/os-release')).toBe('ID=node\n');
});

test('follows links of folders, as sysfs has them', async () => {
  await using root = await hostTree({ 'sys/devices/a/vendor': '0x1', 'sys/bus/a': '-> ../devices/a' });
  expect(await root.host.readValue('sys/bus/a/vendor')).toBe('0x1');
  expect(await root.host.readlink('sys/bus/a')).toBe('../devices/a');
});

test('stays inside when a relative link climbs above the root', async () => {
  await using root = await hostTree({ 'secret.txt': 'inside', 'etc/link': '-> ../../../../../../../../secret.txt' });
  expect(await root.host.read('etc/link')).toBe('inside');
});

test('does not read a file beside the root', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  await writeFile(join(outside, 'token'), 'x');
  await using root = await hostTree({ 'etc/link': `-> ${outside}/token` });
  expect(await root.host.readIfPresent('etc/link')).toBeUndefined();
  await rm(outside, { recursive: true });
});

test('refuses a path with .. that leaves the root', async () => {
  await using root = await hostTree({});
  await expect(root.host.read('../etc/passwd')).rejects.toBeInstanceOf(OutsideHostRootError);
});

test('ends at a link that points at itself through another root', async () => {
  await using root = await hostTree({ a: '-> /b', b: '-> /a' });
  await expect(root.host.read('a')).rejects.toBeInstanceOf(OutsideHostRootError);
});

test('refuses a file over its bound and reads one of exactly that size', async () => {
  await using root = await hostTree({ large: 'x'.repeat(5001), exact: 'x'.repeat(5000) });
  const host = new HostRoot(root.path, { maxBytes: 5000 });
  await expect(host.read('large')).rejects.toBeInstanceOf(HostFileTooLargeError);
  expect(await host.read('exact')).toHaveLength(5000);
});

test('does not wait for a writer of a FIFO', async () => {
  await using root = await hostTree({});
  await promisify(execFile)('mkfifo', [join(root.path, 'pipe')]);
  expect(await root.host.read('pipe')).toBe('');
});

test('lists names in byte order and answers undefined for what is missing', async () => {
  await using root = await hostTree({ 'd/b': '', 'd/A': '', 'd/a': '' });
  expect(await root.host.list('d')).toEqual(['A', 'a', 'b']);
  expect(await root.host.listIfPresent('none')).toBeUndefined();
  expect(await root.host.readValue('d/none')).toBeUndefined();
  expect(await root.host.exists('d/A')).toBe(true);
  expect(await root.host.exists('d/none')).toBe(false);
  await expect(root.host.read('d/none')).rejects.toMatchObject({ code: 'ENOENT' });
});
