import { type FeatureSource, present, type RawFeatures } from './feature-source.ts';
import type { HostRoot } from './host-root.ts';
import { readHugepages } from './hugepages.ts';

/** `memory.numa`, `memory.swap`, `memory.hugepages`, and the non-volatile devices `memory.nv`. */
export const memorySource: FeatureSource = {
  name: 'memory',
  async discover(host) {
    return {
      attributes: { ...(await numa(host)), ...(await swap(host)), 'memory.hugepages': await hugepages(host) },
      instances: { 'memory.nv': await nonVolatile(host) },
    };
  },
  labels({ attributes = {}, instances = {} }) {
    const devices = instances['memory.nv'] ?? [];
    return present({
      numa: whenTrue(attributes['memory.numa']?.is_numa === 'true'),
      swap: whenTrue(attributes['memory.swap']?.enabled === 'true'),
      'nv.present': whenTrue(devices.length > 0),
      'nv.dax': whenTrue(devices.some(({ devtype }) => devtype === 'nd_dax')),
    });
  },
};

/** NFD's labels of this kind are `true` or not there. */
const whenTrue = (fact: boolean) => (fact ? 'true' : undefined);

async function numa(host: HostRoot): Promise<RawFeatures['attributes']> {
  const nodes = await host.listIfPresent('sys/bus/node/devices');
  if (nodes === undefined) return {};
  return { 'memory.numa': { node_count: String(nodes.length), is_numa: String(nodes.length > 1) } };
}

async function swap(host: HostRoot): Promise<RawFeatures['attributes']> {
  const text = await host.readValue('proc/swaps');
  if (text === undefined) return {};
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return { 'memory.swap': { enabled: String(lines.length > 1) } }; // the first line is the header
}

async function hugepages(host: HostRoot): Promise<Record<string, string>> {
  const pools = (await readHugepages(host, 'sys/kernel/mm/hugepages')) ?? [];
  const counts = pools.map(({ size, count }) => [`hugepages-${size}`, count]);
  return { ...Object.fromEntries(counts), enabled: String(pools.some(({ count }) => Number(count) > 0)) };
}

async function nonVolatile(host: HostRoot): Promise<Record<string, string>[]> {
  const names = (await host.listIfPresent('sys/bus/nd/devices')) ?? [];
  const read = (name: string, file: string) => host.readValue(`sys/bus/nd/devices/${name}/${file}`);
  const devices = names.map(async (name) =>
    present({ name, devtype: await read(name, 'devtype'), mode: await read(name, 'mode') }),
  );
  return Promise.all(devices);
}
