import { groupDevices } from './device-labels.ts';
import { type FeatureSource, present } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';
import { featureDefaults } from './options.ts';

const FOLDER = 'sys/bus/usb/devices';
const FIELDS = ['class', 'vendor', 'device', 'serial'];

/** USB devices as `usb.device`; one that leaves its class to its interfaces counts once per interface. */
export const usbSource: FeatureSource = {
  name: 'usb',
  async discover(host) {
    const names = (await host.listIfPresent(FOLDER)) ?? [];
    const devices = await Promise.all(names.map((name) => readDevice(host, `${FOLDER}/${name}`)));
    return { instances: { 'usb.device': devices.flat() } };
  },
  labels({ instances = {} }, { usb }) {
    const fields = { known: FIELDS, fallback: featureDefaults.usb.deviceLabelFields };
    const names = groupDevices(instances['usb.device'] ?? [], usb, fields).keys();
    return Object.fromEntries([...names].map((name) => [`${name}.present`, 'true']));
  },
};

async function readDevice(host: HostRoot, folder: string): Promise<Record<string, string>[]> {
  // Entries of interfaces lie in the same folder and have no idProduct.
  if (!(await host.exists(`${folder}/idProduct`))) return [];
  const read = async (file: string) => (await host.readValue(`${folder}/${file}`)) || undefined;
  const device = present({
    class: await read('bDeviceClass'),
    vendor: await read('idVendor'),
    device: await read('idProduct'),
    serial: await read('serial'),
  });
  if (device.class !== '00') return [device];
  const classes = await interfaceClasses(host, folder);
  return classes.map((interfaceClass) => ({ ...device, class: interfaceClass }));
}

async function interfaceClasses(host: HostRoot, folder: string): Promise<string[]> {
  const names = await host.list(folder);
  const classes = names.map((name) => host.readValue(`${folder}/${name}/bInterfaceClass`));
  return (await Promise.all(classes)).filter((value) => value !== undefined);
}
