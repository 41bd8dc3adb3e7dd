import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { installFirmware, removeFirmware, setFirmwareSearchPath } from './firmware.ts';

const PARAMETER = 'sys/module/firmware_class/parameters/path';
const hostPath = '/var/lib/firmware';

test('sets the search path once', async () => {
  await using root = await hostTree({ [PARAMETER]: '\n' });
  await setFirmwareSearchPath({ host: root.host, hostPath });
  const written = await stat(join(root.path, PARAMETER), { bigint: true });
  await setFirmwareSearchPath({ host: root.host, hostPath });
  expect(await root.host.read(PARAMETER)).toBe(hostPath);
  expect((await stat(join(root.path, PARAMETER), { bigint: true })).mtimeNs).toBe(written.mtimeNs);
});

const IMAGE = { 'image/vendor/a.bin': 'A2', 'image/vendor/deep/b.bin': 'B', 'image/latest.bin': '-> vendor/a.bin' };

test('puts files over what is there, and takes only its own away again', async () => {
  await using root = await hostTree({
    ...IMAGE,
    'var/lib/firmware/vendor/a.bin': 'A1',
    'var/lib/firmware/vendor/c.bin': 'C',
  });
  const firmware = { host: root.host, folder: join(root.path, 'image'), hostPath };
  await installFirmware(firmware);
  expect(await root.host.read('var/lib/firmware/latest.bin')).toBe('A2');
  expect(await root.host.read('var/lib/firmware/vendor/deep/b.bin')).toBe('B');
  await removeFirmware(firmware);
  expect(await root.host.list('var/lib/firmware')).toEqual(['vendor']);
  expect(await root.host.list('var/lib/firmware/vendor')).toEqual(['c.bin', 'deep']);
  expect(await root.host.list('var/lib/firmware/vendor/deep')).toEqual([]);
});

test('makes the folder, and does nothing twice', async () => {
  await using root = await hostTree(IMAGE);
  await chmod(join(root.path, 'image/vendor/a.bin'), 0o400);
  const firmware = { host: root.host, folder: join(root.path, 'image'), hostPath };
  await removeFirmware(firmware);
  await installFirmware(firmware);
  await installFirmware(firmware);
  expect(await readFile(join(root.path, 'var/lib/firmware/vendor/a.bin'), 'utf8')).toBe('A2');
});

test("follows the node's own links inside of the root", async () => {
  await using root = await hostTree({ ...IMAGE, 'data/firmware/': '', 'var/lib/firmware': '-> /data/firmware' });
  await installFirmware({ host: root.host, folder: join(root.path, 'image'), hostPath });
  expect(await root.host.read('data/firmware/vendor/a.bin')).toBe('A2');
});
