import { type FeatureSource, present } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';

const FOLDER = 'sys/class/net';
const ANY = ['operstate', 'speed', 'mtu'];
const SRIOV = ['sriov_numvfs', 'sriov_totalvfs'];

/**
 * Interfaces: those with a device behind them are `network.device`, the others `network.virtual`. `host` must hold the
 * node's own sysfs: one mounted in a pod's network namespace shows the pod's interfaces.
 */
export const networkSource: FeatureSource = {
  name: 'network',
  async discover(host) {
    const names = (await host.list(FOLDER)).filter((name) => name !== 'bonding_masters');
    const interfaces = await Promise.all(names.map((name) => readInterface(host, name)));
    return {
      instances: {
        'network.device': interfaces.filter(({ physical }) => physical).map(({ attributes }) => attributes),
        'network.virtual': interfaces.filter(({ physical }) => !physical).map(({ attributes }) => attributes),
      },
    };
  },
  labels({ instances = {} }) {
    const devices = instances['network.device'] ?? [];
    const anyPositive = (name: string) => devices.some((device) => /^\+?0*[1-9]\d*$/.test(device[name] ?? ''));
    return {
      ...(anyPositive('sriov_totalvfs') && { 'sriov.capable': 'true' }),
      ...(anyPositive('sriov_numvfs') && { 'sriov.configured': 'true' }),
    };
  },
};

async function readInterface(host: HostRoot, name: string) {
  const folder = `${FOLDER}/${name}`;
  const physical = await host.exists(`${folder}/device`);
  const files = [...ANY, ...(physical ? SRIOV.map((file) => `device/${file}`) : [])];
  const read = async (file: string) => [file.replace('device/', ''), await host.readValue(`${folder}/${file}`)];
  return { physical, attributes: present({ name, ...Object.fromEntries(await Promise.all(files.map(read))) }) };
}
