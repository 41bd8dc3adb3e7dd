import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { isBuiltIn, moduleNames, readLoadedModules } from './loaded-modules.ts';

test('reads what the kernel says of each module', async () => {
  await using root = await hostTree({
    'proc/modules':
      'nf_nat 57344 2 nft_nat,xt_nat, Live 0x0000000000000000\nhello 16384 0 - Loading 0x0 (OE+)\nfixed 1 - [permanent], Unloading 0x0\n',
  });
  expect([...(await readLoadedModules(root.host)).values()]).toEqual([
    { name: 'nf_nat', sizeBytes: 57344, references: 2, usedBy: ['nft_nat', 'xt_nat'], state: 'Live' },
    { name: 'hello', sizeBytes: 16384, references: 0, usedBy: [], state: 'Loading' },
    { name: 'fixed', sizeBytes: 1, references: 0, usedBy: [], state: 'Unloading' },
  ]);
});

test('has no modules on a kernel that cannot load any', async () => {
  await using root = await hostTree({});
  expect((await readLoadedModules(root.host)).size).toBe(0);
});

test('W35 knows built-in modules in either spelling', async () => {
  await using root = await hostTree({
    'lib/modules/6.1.0/modules.builtin': 'kernel/drivers/i2c/i2c-core.ko\nkernel/fs/ext4/ext4.ko.xz\n',
    'sys/module/kernel_own/parameters/x': '1',
    'sys/module/loaded/initstate': 'live\n',
  });
  const names = ['i2c_core', 'i2c-core', 'ext4', 'kernel-own', 'loaded', 'none'];
  const builtIn = await Promise.all(names.map((name) => isBuiltIn(root.host, name, '6.1.0')));
  expect(builtIn).toEqual([true, true, true, true, false, false]);
});

test.each([
  [{ moduleName: 'a' }, ['a']],
  [{ moduleName: 'a', modulesLoadingOrder: ['a', 'b'] }, ['a', 'b']],
  [{ rawArgs: { load: ['a'] }, moduleName: 'b' }, []],
])('of %j the names are %j', (modprobe, want) => {
  expect(moduleNames({ modprobe })).toEqual(want);
});
