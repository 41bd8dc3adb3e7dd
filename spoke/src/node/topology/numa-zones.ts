import type { HostRoot } from '../features/host-root.ts';
import { readHugepages } from '../features/hugepages.ts';

const NODES = 'sys/devices/system/node';
/** What the kernel says for a node's distance to itself. */
const LOCAL_DISTANCE = 10;

/** One NUMA node of the machine. */
export type NumaZone = {
  id: number;
  /** CPUs of the zone that are online. */
  cpus: number;
  memoryBytes: number;
  /** Page size, `2Mi`, → bytes in that pool; pools that are empty are left out. */
  hugepageBytes: Record<string, number>;
  /** Zone id → distance, 10 for itself. */
  distances: ReadonlyMap<number, number>;
};

/**
 * The NUMA nodes by sysfs, in order of their ids, which may have gaps. A kernel without NUMA is one zone 0.
 * @throws when a file of a zone cannot be read: half a topology would mislead the scheduler
 */
export async function discoverNumaZones(host: HostRoot, signal: AbortSignal): Promise<NumaZone[]> {
  const names = (await host.listIfPresent(NODES)) ?? [];
  const ids = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  ids.sort((a, b) => a - b);
  signal.throwIfAborted();
  if (ids.length === 0) return [await onlyZone(host)];
  return Promise.all(ids.map((id) => readZone(host, id, ids)));
}

async function readZone(host: HostRoot, id: number, ids: readonly number[]): Promise<NumaZone> {
  const folder = `${NODES}/node${id}`;
  const [names, meminfo, distance] = await Promise.all([
    host.list(folder),
    host.read(`${folder}/meminfo`),
    host.read(`${folder}/distance`),
  ]);
  const cpus = names.filter((name) => /^cpu\d+$/.test(name)); // the entries, not cpulist: it hides offline CPUs
  const online = await Promise.all(cpus.map((cpu) => host.readValue(`${folder}/${cpu}/online`)));
  // One number for each node that is online, in order of ids: the position is not the id.
  const values = distance.trim().split(/\s+/).map(Number);
  return {
    id,
    cpus: online.filter((state) => state !== '0').length, // a CPU that cannot be taken offline has no such file
    memoryBytes: memTotal(meminfo),
    hugepageBytes: await hugepages(host, `${folder}/hugepages`),
    distances: new Map(ids.map((other, position) => [other, values[position] ?? LOCAL_DISTANCE])),
  };
}

async function onlyZone(host: HostRoot): Promise<NumaZone> {
  const cpus = ((await host.readValue('sys/devices/system/cpu/online')) ?? '0').split(',');
  const counts = cpus.map((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return last - first + 1;
  });
  return {
    id: 0,
    cpus: counts.reduce((sum, count) => sum + count, 0),
    memoryBytes: memTotal(await host.read('proc/meminfo')),
    hugepageBytes: await hugepages(host, 'sys/kernel/mm/hugepages'),
    distances: new Map([[0, LOCAL_DISTANCE]]),
  };
}

/** "Node 0 MemTotal:  262144 kB" or "MemTotal:  262144 kB" */
function memTotal(meminfo: string): number {
  return Number(/MemTotal:\s*(\d+) kB/.exec(meminfo)?.[1] ?? 0) * 1024;
}

async function hugepages(host: HostRoot, path: string): Promise<Record<string, number>> {
  const pools = ((await readHugepages(host, path)) ?? []).filter(({ count }) => Number(count) > 0);
  return Object.fromEntries(pools.map(({ size, sizeBytes, count }) => [size, Number(count) * sizeBytes]));
}
