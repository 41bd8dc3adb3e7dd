import { expect, test } from 'vitest';
import { storageSource } from './storage.ts';
import { allTrue, passOver, type Tree } from './test/host-tree.ts';

const disks = (rotational: Record<string, string>): Tree =>
  Object.fromEntries(
    Object.entries(rotational).map(([name, value]) => [`sys/block/${name}/queue/rotational`, `${value}\n`]),
  );
const ignoring = { storage: { ignoreVirtualDevices: true } };

test.each<[string, Tree, object, string]>([
  [
    'G40 labels a node with one disk that does not rotate',
    disks({ sda: '1', nvme0n1: '0' }),
    {},
    'storage-nonrotationaldisk',
  ],
  ['G41 labels nothing when all rotate', disks({ sda: '1' }), {}, ''],
  ['G42 counts virtual devices as upstream does', disks({ sda: '1', zram0: '0' }), {}, 'storage-nonrotationaldisk'],
  ['G42 ignores virtual devices when told', disks({ sda: '1', zram0: '0' }), ignoring, ''],
  [
    'still counts real disks when virtual ones are ignored',
    disks({ sda: '0', zram0: '0' }),
    ignoring,
    'storage-nonrotationaldisk',
  ],
])('%s', async (...[, tree, options, want]) => {
  expect(await passOver(storageSource, tree, options)).toMatchObject({ labels: allTrue(want), failed: [] });
});

test('fails without sys/block', async () => {
  expect(await passOver(storageSource, {})).toMatchObject({ labels: {}, failed: ['storage'] });
});
