import { expect, test } from 'vitest';
import { type DeviceOptions, featureDefaults } from './options.ts';
import { allTrue, passOver, type Tree } from './test/host-tree.ts';
import { usbSource } from './usb.ts';

const FOLDER = 'sys/bus/usb/devices';
const FILES = ['bDeviceClass', 'idVendor', 'idProduct'];

function device(name: string, ids: string, more: Tree = {}): Tree {
  const files = ids.split(' ').map((value, index) => [`${FOLDER}/${name}/${FILES[index]}`, `${value}\n`]);
  const others = Object.entries(more).map(([file, content]) => [`${FOLDER}/${name}/${file}`, content]);
  return Object.fromEntries([...files, ...others]);
}

const STICK = device('1-1', 'ff 03e7 2485', { serial: '03e72485\n' });
const interfaces = ['fe', '0e', '0e', '03'].map((id, index) => [`1-2:1.${index}/bInterfaceClass`, `${id}\n`]);
const BUS = {
  ...device('usb1', '09 1d6b 0002'),
  ...STICK,
  ...device('1-2', '00 1a6e 089a', Object.fromEntries(interfaces)),
  [`${FOLDER}/1-1:1.0/bInterfaceClass`]: 'ff\n',
};
const fields = (...deviceLabelFields: string[]) => ({ deviceLabelFields });

test.each<[string, Tree, Partial<DeviceOptions>, string]>([
  [
    'G20 counts interfaces where the device leaves its class to them',
    BUS,
    {},
    'usb-ff_03e7_2485.present usb-fe_1a6e_089a.present usb-0e_1a6e_089a.present',
  ],
  ['G21 keeps its own order of fields', STICK, fields('serial', 'class'), 'usb-ff_03e72485.present'],
  [
    'G22 drops a label that a serial number makes invalid',
    device('1-1', 'ff 03e7 2485', { serial: 'AB CD/1\n' }),
    fields('class', 'serial'),
    '',
  ],
  [
    'G23 leaves a missing field empty',
    device('1-1', 'ff 03e7 2485'),
    fields('class', 'vendor', 'device', 'serial'),
    'usb-ff_03e7_2485_.present',
  ],
  ['G24 has nothing for a device without interfaces', device('1-1', '00 03e7 2485'), {}, ''],
  ['G25 has nothing without a bus', {}, {}, ''],
])('%s', async (...[, tree, options, want]) => {
  const { labels, failed } = await passOver(usbSource, tree, { usb: { ...featureDefaults.usb, ...options } });
  expect({ labels, failed }).toEqual({ labels: allTrue(want), failed: [] });
});

test('G20 has one raw instance for each interface, equal ones too', async () => {
  const { features } = await passOver(usbSource, BUS);
  const classes = features.instances['usb.device']?.elements.map(({ attributes }) => attributes.class);
  expect(classes).toEqual(['ff', 'fe', '0e', '0e', '03', '09']);
});

test('G22 keeps the raw serial number', async () => {
  const { features } = await passOver(usbSource, device('1-1', 'ff 03e7 2485', { serial: 'AB CD/1\n' }));
  expect(features.instances['usb.device']?.elements[0]?.attributes.serial).toBe('AB CD/1');
});
