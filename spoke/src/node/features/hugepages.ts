import type { HostRoot } from './host-root.ts';

/** `count` is the file's text: '' when there is none. */
export type HugepagePool = { size: string; sizeBytes: number; count: string };

/**
 * The pools below a `hugepages` folder of sysfs, smallest page first.
 * @param path e.g. `sys/kernel/mm/hugepages`, or the same folder of one NUMA node
 * @returns undefined when the folder is missing
 */
export async function readHugepages(host: HostRoot, path: string): Promise<HugepagePool[] | undefined> {
  const names = await host.listIfPresent(path);
  if (names === undefined) return undefined;
  const pools = names.map(async (name) => {
    const kibibytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? Number.NaN);
    const count = (await host.readValue(`${path}/${name}/nr_hugepages`)) ?? '';
    return { size: binaryQuantity(kibibytes), sizeBytes: kibibytes * 1024, count };
  });
  const known = (await Promise.all(pools)).filter(({ sizeBytes }) => sizeBytes > 0);
  return known.sort((a, b) => a.sizeBytes - b.sizeBytes);
}

/** Kibibytes as Kubernetes writes them: 2048 → `2Mi`, 64 → `64Ki`. */
function binaryQuantity(kibibytes: number): string {
  const units = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let value = kibibytes;
  let unit = 0;
  while (value > 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value}${units[unit]}`;
}
