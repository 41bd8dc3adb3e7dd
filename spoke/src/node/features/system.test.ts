import { expect, test } from 'vitest';
import { systemSource } from './system.ts';
import { passOver } from './test/host-tree.ts';

const NOT_UTF8 = Buffer.concat([Buffer.from('ID=foo'), Buffer.from([0xff]), Buffer.from('\nVERSION_ID=10.1.2\n')]);

test.each<[string, string | Buffer, Record<string, string>]>([
  [
    'G60 splits a version',
    'ID="rhcos"\nVERSION_ID="4.12"\nRHEL_VERSION="8.6"\n',
    { ID: 'rhcos', VERSION_ID: '4.12', 'VERSION_ID.major': '4', 'VERSION_ID.minor': '12' },
  ],
  [
    'G61 has no minor of a plain number',
    'ID=fedora\nVERSION_ID=38\n',
    { ID: 'fedora', VERSION_ID: '38', 'VERSION_ID.major': '38' },
  ],
  ['G62 drops values that are no label values', `ID='my os'\nVERSION_ID="12 (beta)"\n`, {}],
  ['G63 drops what is no UTF-8', NOT_UTF8, { VERSION_ID: '10.1.2', 'VERSION_ID.major': '10', 'VERSION_ID.minor': '1' }],
  [
    'G64 drops a value of 64 characters',
    `ID=${'a'.repeat(64)}\nVERSION_ID=1\n`,
    { VERSION_ID: '1', 'VERSION_ID.major': '1' },
  ],
  ['G65 splits only numbers', 'VERSION_ID=15-SP4\nID=sles\n', { ID: 'sles', VERSION_ID: '15-SP4' }],
  ['takes the last of two lines and ignores indented ones', 'ID=a\nID=b\n ID=c\n', { ID: 'b' }],
])('%s', async (_behaviour, osRelease, want) => {
  const { labels } = await passOver(systemSource, { 'etc/os-release': osRelease });
  const wanted = Object.entries(want).map(([key, value]) => [`system-os_release.${key}`, value]);
  expect(labels).toEqual(Object.fromEntries(wanted));
});

test('G62 keeps raw what is no label value', async () => {
  const { features } = await passOver(systemSource, { 'etc/os-release': `ID='my os'\nVERSION_ID="12 (beta)"\n` });
  expect(features.attributes['system.osrelease']?.elements).toEqual({ ID: 'my os', VERSION_ID: '12 (beta)' });
});

test('G66 has no labels without os-release', async () => {
  const { labels, features, failed } = await passOver(systemSource, {});
  expect({ labels, failed }).toEqual({ labels: {}, failed: [] });
  expect(features.attributes['system.osrelease']).toBeUndefined();
  expect(features.attributes['system.name']).toEqual({ elements: { nodename: 'node-a' } });
});

test('reads the DMI names that need no privilege', async () => {
  const id = 'sys/devices/virtual/dmi/id';
  const { features } = await passOver(systemSource, {
    [`${id}/sys_vendor`]: 'QEMU\n',
    [`${id}/product_serial`]: 'secret\n',
  });
  expect(features.attributes['system.dmiid']).toEqual({ elements: { sys_vendor: 'QEMU' } });
});

test.each<[string, Buffer | undefined, string]>([
  ['on', Buffer.from([6, 0, 0, 0, 1]), 'true'],
  ['off', Buffer.from([6, 0, 0, 0, 0]), 'false'],
  ['off without UEFI', undefined, 'false'],
])('reports Secure Boot as %s', async (_state, variable, enabled) => {
  const file = 'sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
  const { features } = await passOver(systemSource, variable === undefined ? {} : { [file]: variable });
  expect(features.attributes['system.secureboot']).toEqual({ elements: { enabled } });
});
