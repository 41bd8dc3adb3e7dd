import { expect, test } from 'vitest';
import { featureDefaults } from './options.ts';
import { pciSource } from './pci.ts';
import { allTrue, passOver, type Tree } from './test/host-tree.ts';

const FOLDER = 'sys/bus/pci/devices';
const FILES = ['class', 'vendor', 'device', 'subsystem_vendor', 'subsystem_device', 'sriov_totalvfs'];

function device(address: string, values: string): Tree {
  return Object.fromEntries(
    values.split(' ').map((value, index) => [`${FOLDER}/${address}/${FILES[index]}`, `${value}\n`]),
  );
}

const GPU = device('0000:17:00.0', '0x030200 0x10de 0x20b0 0x10de 0x1450');
const NIC = device('0000:3f:00.0', '0x020000 0x8086 0x37d2 0x8086 0x35cf 32');
const QAT = device('0000:3b:00.0', '0x0b4000 0x8086 0x37c8 0x8086 0x35cf 16');
const QVF = device('0000:3b:01.0', '0x0b4000 0x8086 0x37c9 0x8086 0x0000');
const ACC = device('0000:99:00.0', '0x120000 0x1e52 0xfaca 0x1e52 0x0007 0');
const NVIDIA = {
  ...device('0000:01:00.0', '0x030000 0x10de 0x1 0x10de 0x1'),
  ...device('0000:02:00.0', '0x030200 0x10de 0x1 0x10de 0x1'),
  ...device('0000:03:00.0', '0x030000 0x10de 0x1 0x10de 0x1 0'),
};
const classes = (...deviceClassWhitelist: string[]) => ({ deviceClassWhitelist });
const fields = (...deviceLabelFields: string[]) => ({ deviceLabelFields });
const allFields = fields('device', 'vendor', 'class', 'subsystem_device', 'subsystem_vendor');

test.each<[string, Tree, object, string]>([
  [
    'G01 labels the whitelisted classes',
    { ...GPU, ...NIC, ...QAT, ...QVF, ...ACC },
    {},
    'pci-0302_10de.present pci-0b40_8086.present pci-0b40_8086.sriov.capable pci-1200_1e52.present pci-1200_1e52.sriov.capable',
  ],
  ['G02 takes a whole class', { ...GPU, ...NIC }, classes('0200'), 'pci-0200_8086.present pci-0200_8086.sriov.capable'],
  [
    'G03 keeps its own order of fields',
    { ...GPU, ...NIC },
    { ...classes('02'), ...allFields },
    'pci-0200_8086_37d2_8086_35cf.present pci-0200_8086_37d2_8086_35cf.sriov.capable',
  ],
  ['G04 lowers the case of an entry', QAT, classes('0B'), 'pci-0b40_8086.present pci-0b40_8086.sriov.capable'],
  ['G05 matches nothing with six digits', GPU, classes('030200'), ''],
  ['G06 matches nothing with a class that YAML made a number', GPU, classes('194'), ''],
  ['G07 labels nothing with a null whitelist', GPU, { deviceClassWhitelist: null }, ''],
  ['G08 gives a virtual function no SR-IOV label', QVF, {}, 'pci-0b40_8086.present'],
  [
    'G09 leaves out a device without its ids',
    { ...GPU, ...device('0000:00:1f.2', '0x030000') },
    {},
    'pci-0302_10de.present',
  ],
  ['G12 collapses devices of one label', NVIDIA, fields('vendor'), 'pci-10de.present pci-10de.sriov.capable'],
  ['G13 falls back to the default fields', GPU, fields('foo', 'bar'), 'pci-0302_10de.present'],
  ['G14 ignores an unknown field', GPU, fields('foo', 'class'), 'pci-0302.present'],
  ['G15 passes everything with an empty entry', NIC, classes(''), 'pci-0200_8086.present pci-0200_8086.sriov.capable'],
  ['G16 matches no class behind a blank', { ...GPU, [`${FOLDER}/0000:17:00.0/class`]: ' 0x030000\n' }, {}, ''],
])('%s', async (...[, tree, options, want]) => {
  const { labels, failed } = await passOver(pciSource, tree, { pci: { ...featureDefaults.pci, ...options } });
  expect({ labels, failed }).toEqual({ labels: allTrue(want), failed: [] });
});

test('G10 fails without the bus and leaves the set out', async () => {
  expect(await passOver(pciSource, {})).toEqual({
    labels: {},
    failed: ['pci'],
    features: { flags: {}, attributes: {}, instances: {} },
  });
});

test('G11 has an empty set for an empty bus', async () => {
  const { features, failed } = await passOver(pciSource, { [`${FOLDER}/`]: '' });
  expect({ instances: features.instances, failed }).toEqual({
    instances: { 'pci.device': { elements: [] } },
    failed: [],
  });
});

test('keeps optional attributes under the names of their files', async () => {
  const tree = { ...GPU, [`${FOLDER}/0000:17:00.0/iommu_group/type`]: 'DMA\n' };
  const { features } = await passOver(pciSource, tree);
  expect(features.instances['pci.device']?.elements).toEqual([
    {
      attributes: {
        class: '0302',
        device: '20b0',
        'iommu_group/type': 'DMA',
        subsystem_device: '1450',
        subsystem_vendor: '10de',
        vendor: '10de',
      },
    },
  ]);
});
