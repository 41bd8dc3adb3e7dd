import { type FeatureSource, present } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';

const QUEUE = ['dax', 'rotational', 'nr_zones', 'zoned'];

/** Block devices as `storage.block`. */
export const storageSource: FeatureSource = {
  name: 'storage',
  async discover(host) {
    const names = await host.list('sys/block');
    return { instances: { 'storage.block': await Promise.all(names.map((name) => readBlock(host, name))) } };
  },
  labels({ instances = {} }, { storage }) {
    const devices = (instances['storage.block'] ?? []).filter(
      ({ name = '' }) => !(storage.ignoreVirtualDevices && /^(zram|ram|nbd|dm-|loop)/.test(name)),
    );
    return devices.some(({ rotational }) => rotational === '0') ? { nonrotationaldisk: 'true' } : {};
  },
};

async function readBlock(host: HostRoot, name: string): Promise<Record<string, string>> {
  const read = async (file: string) => [file, await host.readValue(`sys/block/${name}/queue/${file}`)];
  return present({ name, ...Object.fromEntries(await Promise.all(QUEUE.map(read))) });
}
