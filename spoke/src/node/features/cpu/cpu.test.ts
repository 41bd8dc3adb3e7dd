import { expect, test } from 'vitest';
import { featureDefaults } from '../options.ts';
import { allTrue, passOver, type Tree } from '../test/host-tree.ts';
import { cpuSource } from './cpu.ts';

const CPU = 'sys/devices/system/cpu';
const BUS = 'sys/bus/cpu/devices';
const NO_FLAGS = {
  'proc/cpuinfo': 'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nflags\t\t:\n',
};
const topology = (cpus: readonly [siblings: string, socket: string][]): Tree =>
  Object.fromEntries(
    cpus.flatMap(([siblings, socket], index) => [
      [`${BUS}/cpu${index}/topology/thread_siblings_list`, `${siblings}\n`],
      [`${BUS}/cpu${index}/topology/physical_package_id`, `${socket}\n`],
    ]),
  );

/** One pass over a machine whose CPU has no flags; the labels of its model left out. */
async function pass(tree: Tree, options = {}) {
  const { labels, features } = await passOver(cpuSource, { ...NO_FLAGS, ...tree }, options);
  const others = Object.entries(labels).filter(([key]) => !key.startsWith('cpu-model.'));
  return { labels: Object.fromEntries(others), raw: (set: string) => features.attributes[`cpu.${set}`]?.elements };
}

test.each<[string, Tree, string, string]>([
  [
    'G80 sees threads in a list of siblings',
    topology([
      ['0,2', '0'],
      ['1,3', '0'],
      ['0,2', '0'],
      ['1,3', '0'],
    ]),
    'true',
    '1',
  ],
  [
    'G81 sees threads in a range of siblings',
    topology([
      ['0-1', '0'],
      ['0-1', '1'],
    ]),
    'true',
    '2',
  ],
  [
    'G82 sees none when each CPU is alone',
    topology([
      ['0', '0'],
      ['1', '0'],
    ]),
    'false',
    '1',
  ],
  ['G83 goes by the CPUs that are online', { ...topology([['0', '0']]), [`${BUS}/cpu1/online`]: '0\n' }, 'false', '1'],
])('%s', async (...[, tree, threads, sockets]) => {
  const { labels, raw } = await pass(tree);
  expect(labels).toEqual({ 'cpu-hardware_multithreading': threads });
  expect(raw('topology')).toEqual({ hardware_multithreading: threads, socket_count: sockets });
});

test('G83 says nothing with an offline CPU as upstream when told', async () => {
  const tree = { ...topology([['0', '0']]), [`${BUS}/cpu1/online`]: '0\n' };
  const { labels, raw } = await pass(tree, { upstreamDefects: true });
  expect({ labels, raw: raw('topology') }).toEqual({ labels: {}, raw: {} });
});

const pstate = (status: string, noTurbo: string, policies: readonly [affected: string, governor: string][]): Tree => ({
  [`${CPU}/intel_pstate/status`]: `${status}\n`,
  [`${CPU}/intel_pstate/no_turbo`]: `${noTurbo}\n`,
  ...Object.fromEntries(
    policies.flatMap(([affected, governor], index) => [
      [`${CPU}/cpufreq/policy${index}/affected_cpus`, `${affected}\n`],
      [`${CPU}/cpufreq/policy${index}/scaling_governor`, `${governor}\n`],
    ]),
  ),
});
const PERFORMANCE = ['0', 'performance'] as [string, string];

test.each<[string, Tree, Record<string, string>]>([
  [
    'G84 names the governor of the CPUs in use',
    pstate('active', '0', [PERFORMANCE, ['', 'powersave']]),
    { status: 'active', turbo: 'true', scaling_governor: 'performance' },
  ],
  [
    'G85 names no governor when CPUs differ',
    pstate('active', '0', [PERFORMANCE, ['1', 'powersave']]),
    { status: 'active', turbo: 'true' },
  ],
  [
    'G86 names no governor of a passive driver',
    pstate('passive', '1', [['0', 'schedutil']]),
    { status: 'passive', turbo: 'false' },
  ],
  ['G87 says nothing of a driver that is off', pstate('off', '0', [PERFORMANCE]), {}],
  [
    'leaves turbo out when its file is empty',
    { ...pstate('passive', '', []), [`${CPU}/intel_pstate/no_turbo`]: '' },
    { status: 'passive' },
  ],
])('%s', async (_behaviour, tree, want) => {
  const { labels, raw } = await pass(tree);
  expect(raw('pstate')).toEqual(want);
  expect(labels).toEqual(Object.fromEntries(Object.entries(want).map(([key, value]) => [`cpu-pstate.${key}`, value])));
});

test.each<[string, string, { enabled?: string } | undefined]>([
  ['intel_idle', '9', { enabled: 'true' }],
  ['intel_idle', '0', { enabled: 'false' }],
  ['intel_idle', 'abc', undefined],
  ['acpi_idle', '9', {}],
])('G88 reads driver %s with deepest state %s as %j', async (driver, deepest, want) => {
  const { labels, raw } = await pass({
    [`${CPU}/cpuidle/current_driver`]: `${driver}\n`,
    'sys/module/intel_idle/parameters/max_cstate': `${deepest}\n`,
  });
  expect(raw('cstate')).toEqual(want);
  expect(labels).toEqual(want?.enabled === undefined ? {} : { 'cpu-cstate.enabled': want.enabled });
});

const SEV = 'sys/module/kvm_amd/parameters';
const CAPACITY = 'sys/fs/cgroup/misc.capacity';

test('G89 labels memory encryption that is on and counts its keys', async () => {
  const { labels, raw } = await pass({
    [`${SEV}/sev`]: 'Y\n',
    [`${SEV}/sev_es`]: '1\n',
    [`${SEV}/sev_snp`]: 'N\n',
    [CAPACITY]: 'sev 410\nsev_es 99\n',
  });
  expect(labels).toEqual(allTrue('cpu-security.sev.enabled cpu-security.sev.es.enabled'));
  expect(raw('security')).toEqual({
    'sev.asids': '410',
    'sev.enabled': 'true',
    'sev.encrypted_state_ids': '99',
    'sev.es.enabled': 'true',
  });
});

test.each([
  [false, '410'],
  [true, '99'],
])('G90 takes the capacity by its whole name; with upstream defects %s: %s', async (upstreamDefects, want) => {
  const { raw } = await pass({ [`${SEV}/sev`]: 'Y\n', [CAPACITY]: 'sev_es 99\nsev 410\n' }, { upstreamDefects });
  expect(raw('security')?.['sev.asids']).toBe(want);
});

test.each([
  ['Y\n', allTrue('cpu-security.tdx.enabled')],
  ['Y', {}],
])('G91 reads TDX parameter %j as %j', async (content, want) => {
  expect((await pass({ 'sys/module/kvm_intel/parameters/tdx': content })).labels).toEqual(want);
});

const HYBRID = { 'sys/devices/cpu_atom/cpus': '4-7\n', 'sys/devices/cpu_core/cpus': '0-3\n' };

test('G92 labels both kinds of cores of a hybrid CPU', async () => {
  const { labels, raw } = await pass(HYBRID);
  expect(labels).toEqual(allTrue('cpu-cpu_atom cpu-cpu_core'));
  expect(raw('coretype')).toEqual({ cpu_atom: '4-7', cpu_core: '0-3' });
});

test('G92 labels no kind of core as upstream when told', async () => {
  expect((await pass(HYBRID, { upstreamDefects: true })).labels).toEqual({});
});

test.each([
  [
    'G93 lets the whitelist alone decide',
    { attributeWhitelist: ['AVX2', 'BMI1'], attributeBlacklist: ['AVX2'] },
    'AVX2 BMI1',
  ],
  ['G94 knows no SSE4.1', { attributeBlacklist: ['SSE4.1'] }, 'AVX2 BMI1 SSE4'],
  ['G94 takes SSE4.1 for SSE4 when told', { attributeBlacklist: ['SSE4.1'], aliasLegacyNames: true }, 'AVX2 BMI1'],
  ['G95 tells upper from lower case', { attributeWhitelist: ['avx2'] }, ''],
  ['G96 hides nothing with an empty blacklist', { attributeBlacklist: [] }, 'AVX2 BMI1 SSE4'],
])('%s', (_behaviour, lists, want) => {
  const options = { ...featureDefaults, nodeName: 'node-a', cpuid: { ...featureDefaults.cpuid, ...lists } };
  const labels = cpuSource.labels({ flags: { 'cpu.cpuid': ['AVX2', 'BMI1', 'SSE4'] } }, options);
  expect(labels).toEqual(allTrue(want.replaceAll(/\S+/g, 'cpuid.$&')));
});

test('fails once, not once for each part, without /proc/cpuinfo', async () => {
  const { failed, labels } = await passOver(cpuSource, { ...topology([['0', '0']]), [`${CPU}/online`]: '0\n' });
  expect({ failed, labels }).toEqual({ failed: ['cpu'], labels: { 'cpu-hardware_multithreading': 'false' } });
});
