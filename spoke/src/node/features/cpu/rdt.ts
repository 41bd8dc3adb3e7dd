import type { RawFeatures } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';
import type { CpuInfo } from './cpuinfo.ts';

const RDT: Readonly<Record<string, string>> = {
  RDTMON: 'cqm cqm_llc',
  RDTCMT: 'cqm cqm_llc cqm_occup_llc',
  RDTMBM: 'cqm cqm_llc cqm_mbm_total cqm_mbm_local',
  RDTL3CA: 'rdt_a cat_l3',
  RDTL2CA: 'rdt_a cat_l2',
  RDTMBA: 'rdt_a mba',
};

/** `cpu.rdt`: cache and memory-bandwidth control; raw only. AMD's `mba` is another feature. */
export async function discoverRdt(host: HostRoot, { flags, fields }: CpuInfo): Promise<RawFeatures> {
  const intel = fields.get('vendor_id') === 'GenuineIntel';
  const has = ([name, needed]: [string, string]) =>
    (name !== 'RDTMBA' || intel) && needed.split(' ').every((flag) => flags.has(flag));
  const names = Object.entries(RDT)
    .filter(has)
    .map(([name]) => [name, 'true']);
  const closids = Number(await host.readValue('sys/fs/resctrl/info/L3/num_closids'));
  if (closids > 0) names.push(['RDTL3CA_NUM_CLOSID', String(closids - 1)]);
  return { attributes: { 'cpu.rdt': Object.fromEntries(names) } };
}
