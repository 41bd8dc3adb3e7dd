import { groupDevices } from './device-labels.ts';
import { type FeatureSource, present } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';
import { featureDefaults } from './options.ts';

const FOLDER = 'sys/bus/pci/devices';
const IDS = ['class', 'vendor', 'device', 'subsystem_vendor', 'subsystem_device'];
const OPTIONAL = ['sriov_totalvfs', 'iommu_group/type', 'iommu/intel-iommu/version'];

/** PCI devices as `pci.device`; one without all of its ids is left out. The class is its first four digits. */
export const pciSource: FeatureSource = {
  name: 'pci',
  async discover(host) {
    const names = await host.list(FOLDER);
    const devices = await Promise.all(names.map((name) => readDevice(host, `${FOLDER}/${name}`)));
    return { instances: { 'pci.device': devices.filter((device) => device !== undefined) } };
  },
  labels({ instances = {} }, { pci }) {
    const fields = { known: IDS, fallback: featureDefaults.pci.deviceLabelFields };
    const labels: Record<string, string> = {};
    for (const [name, devices] of groupDevices(instances['pci.device'] ?? [], pci, fields)) {
      labels[`${name}.present`] = 'true';
      // The file alone decides, even when it holds 0: upstream's rule, unlike the network source's.
      if (devices.some((device) => device.sriov_totalvfs !== undefined)) labels[`${name}.sriov.capable`] = 'true';
    }
    return labels;
  },
};

async function readDevice(host: HostRoot, folder: string): Promise<Record<string, string> | undefined> {
  const read = async (file: string) => [file, await host.readValue(`${folder}/${file}`)];
  const ids = await Promise.all(IDS.map((file) => readId(host, folder, file)));
  if (ids.some(([, id]) => id === undefined)) return undefined;
  const optional = await Promise.all(OPTIONAL.map(read));
  const device = present(Object.fromEntries([...ids, ...optional]));
  return { ...device, class: (device.class ?? '').slice(0, 4) };
}

/** `0x10de` → `10de`. The prefix goes before the blanks do: ` 0x03` keeps it and matches no class, as upstream. */
async function readId(host: HostRoot, folder: string, file: string): Promise<[string, string | undefined]> {
  const text = await host.readIfPresent(`${folder}/${file}`);
  return [file, text?.replace(/^0x/, '').trim()];
}
