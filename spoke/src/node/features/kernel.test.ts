import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { kernelSource } from './kernel.ts';
import { featureDefaults } from './options.ts';
import { passOver, type Tree } from './test/host-tree.ts';

const RELEASE = '6.1.0-53-amd64';
const kernel = (tree: Tree = {}): Tree => ({ 'proc/sys/kernel/osrelease': `${RELEASE}\n`, ...tree });
const ofKind = (labels: Record<string, string>, kind: string) =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => (key.startsWith(kind) ? [[key.slice(kind.length), value]] : [])),
  );

test.each<[string, string, Record<string, string>]>([
  [
    'G70 replaces what a label cannot hold',
    '6.0.10-100+123.x86_64~',
    { full: '6.0.10-100_123.x86_64', major: '6', minor: '0', revision: '10' },
  ],
  ['G71 has an empty revision when there is none', '6.8', { full: '6.8', major: '6', minor: '8', revision: '' }],
  ['G72 has no parts of what is no version', '6.1.0.el9', { full: '6.1.0.el9' }],
  [
    "has the parts of a version with a plus, as Debian's 6.12 has it",
    '6.12.95+deb12-cloud-amd64',
    { full: '6.12.95_deb12-cloud-amd64', major: '6', minor: '12', revision: '95' },
  ],
  [
    'has the parts of a version with a plus before its revision',
    '6.12+deb13-rt',
    { full: '6.12_deb13-rt', major: '6', minor: '12', revision: '' },
  ],
  [
    'has the parts of a kernel built from a changed source',
    '6.12.0-rc1+',
    { full: '6.12.0-rc1', major: '6', minor: '12', revision: '0' },
  ],
])('%s', async (_behaviour, release, want) => {
  const { labels, features } = await passOver(kernelSource, { 'proc/sys/kernel/osrelease': `${release}\n` });
  expect(ofKind(labels, 'kernel-version.')).toEqual(want);
  expect(features.attributes['kernel.version']?.elements).toEqual(want);
});

test('has no parts of a version with a plus as upstream when told', async () => {
  const tree = { 'proc/sys/kernel/osrelease': '6.12.95+deb12-cloud-amd64\n' };
  const { labels } = await passOver(kernelSource, tree, { upstreamDefects: true });
  expect(ofKind(labels, 'kernel-version.')).toEqual({ full: '6.12.95_deb12-cloud-amd64' });
});

test('keeps a version that is too long for a label as an attribute, and labels its parts', async () => {
  const full = `6.12.95_deb12-${'x'.repeat(50)}`;
  const { labels, features } = await passOver(kernelSource, { 'proc/sys/kernel/osrelease': full.replace('_', '+') });
  const parts = { major: '6', minor: '12', revision: '95' };
  expect(ofKind(labels, 'kernel-version.')).toEqual(parts);
  expect(features.attributes['kernel.version']?.elements).toEqual({ full, ...parts });
});

test('fails without a kernel release', async () => {
  expect(await passOver(kernelSource, {})).toMatchObject({ labels: {}, failed: ['kernel'] });
});

const CONFIG = ['NO_HZ=y', 'NO_HZ_FULL=m', 'LSM="lockdown,yama"', 'HZ=250', 'EMPTY=""', 'BAD="a b"', 'NO_HZ_IDLE=y\r']
  .map((line) => `CONFIG_${line}\n`)
  .join('');

test('G73 labels the wanted options and drops those that fit no label', async () => {
  const configOpts = ['NO_HZ', 'NO_HZ_FULL', 'PREEMPT', 'LSM', 'HZ', 'EMPTY', 'BAD', 'NO_HZ_IDLE', 'MISSING'];
  const tree = kernel({ 'etc/kconfig': `${CONFIG}# CONFIG_PREEMPT is not set\n` });
  const { labels, features } = await passOver(kernelSource, tree, {
    kernel: { kconfigFile: 'etc/kconfig', configOpts },
  });
  expect(ofKind(labels, 'kernel-config.')).toEqual({ EMPTY: '', HZ: '250', NO_HZ: 'true', NO_HZ_FULL: 'true' });
  expect(features.attributes['kernel.config']?.elements).toEqual({
    BAD: 'a b',
    EMPTY: '',
    HZ: '250',
    LSM: 'lockdown,yama',
    NO_HZ: 'y',
    NO_HZ_FULL: 'm',
    NO_HZ_IDLE: 'y\r',
  });
});

test('G74 goes on to the next place when the configured file is missing', async () => {
  const tree = kernel({ [`boot/config-${RELEASE}`]: 'CONFIG_NO_HZ=y\n' });
  const options = { ...featureDefaults.kernel, kconfigFile: 'etc/none' };
  const { labels } = await passOver(kernelSource, tree, { kernel: options });
  expect(ofKind(labels, 'kernel-config.')).toEqual({ NO_HZ: 'true' });
});

test('prefers the configuration of the running kernel in proc to a file of the distribution', async () => {
  const tree = kernel({
    'proc/config.gz': gzipSync('CONFIG_PREEMPT=y\n'),
    [`boot/config-${RELEASE}`]: 'CONFIG_NO_HZ=y\n',
  });
  const { labels } = await passOver(kernelSource, tree);
  expect(ofKind(labels, 'kernel-config.')).toEqual({ PREEMPT: 'true' });
});

test.each<[string, Tree, Record<string, string>, object | undefined]>([
  ['G75 labels SELinux that enforces', { 'sys/fs/selinux/enforce': '1' }, { enabled: 'true' }, { enabled: 'true' }],
  ['G75 does not label SELinux that only warns', { 'sys/fs/selinux/enforce': '0' }, {}, { enabled: 'false' }],
  ['G75 takes a missing SELinux for off', { 'sys/fs/': '' }, {}, { enabled: 'false' }],
  ['G75 says nothing of SELinux without sys/fs', {}, {}, undefined],
])('%s', async (...[, tree, wantLabels, wantRaw]) => {
  const { labels, features } = await passOver(kernelSource, kernel(tree));
  expect(ofKind(labels, 'kernel-selinux.')).toEqual(wantLabels);
  expect(features.attributes['kernel.selinux']?.elements).toEqual(wantRaw);
});

const MODULES = { 'proc/modules': 'ext4 1 0 - Live 0x0\nnvme_core 2 1 nvme, Live 0x0\n' };

test('G76 takes loaded modules for the enabled ones when the built-in ones are unknown', async () => {
  const { features } = await passOver(kernelSource, kernel(MODULES));
  const elements = { ext4: {}, nvme_core: {} };
  expect(features.flags).toEqual({ 'kernel.loadedmodule': { elements }, 'kernel.enabledmodule': { elements } });
});

test('G76 leaves the enabled modules out as upstream when told', async () => {
  const { features } = await passOver(kernelSource, kernel(MODULES), { upstreamDefects: true });
  expect(Object.keys(features.flags)).toEqual(['kernel.loadedmodule']);
});

test('G77 keeps the dash of a built-in module', async () => {
  const builtin = { [`lib/modules/${RELEASE}/modules.builtin`]: 'kernel/drivers/i2c/i2c-core.ko\n' };
  const { features } = await passOver(kernelSource, kernel({ ...MODULES, ...builtin }));
  expect(Object.keys(features.flags['kernel.enabledmodule']?.elements ?? {})).toEqual([
    'ext4',
    'i2c-core',
    'nvme_core',
  ]);
});

test('takes a kernel without loadable modules for a fact', async () => {
  const { features, failed } = await passOver(kernelSource, kernel());
  expect({ loaded: features.flags['kernel.loadedmodule'], failed }).toEqual({ loaded: { elements: {} }, failed: [] });
});
