import { present, type RawFeatures } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';
import type { FeatureOptions } from '../options.ts';
import type { CpuInfo } from './cpuinfo.ts';

const SEV = { 'sev.enabled': 'sev', 'sev.es.enabled': 'sev_es', 'sev.snp.enabled': 'sev_snp' };

/** `cpu.security`: memory encryption and enclaves that the kernel uses. A key that is absent is off or not there. */
export async function discoverSecurity(
  host: HostRoot,
  cpu: CpuInfo,
  { upstreamDefects }: FeatureOptions,
): Promise<RawFeatures> {
  const capacity = (name: string) => miscCapacity(host, name, { byPrefix: upstreamDefects });
  const elements: Record<string, string | undefined> = {
    ...(await sgx(host)),
    'tdx.protected': cpu.flags.has('tdx_guest') ? 'true' : undefined,
  };
  if ((await host.readIfPresent('sys/module/kvm_intel/parameters/tdx')) === 'Y\n') {
    elements['tdx.enabled'] = 'true';
    elements['tdx.total_keys'] = await capacity('tdx');
  }
  for (const [key, parameter] of Object.entries(SEV)) {
    const value = (await host.readIfPresent(`sys/module/kvm_amd/parameters/${parameter}`)) ?? '';
    if (/^[1Y]/.test(value)) elements[key] = 'true';
  }
  if (elements['sev.enabled']) elements['sev.asids'] = await capacity('sev');
  if (elements['sev.es.enabled']) elements['sev.encrypted_state_ids'] = await capacity('sev_es');
  if ((await host.readIfPresent('sys/firmware/uv/prot_virt_host')) === '1\n') elements['se.enabled'] = 'true';
  return { attributes: { 'cpu.security': present(elements) } };
}

/** Bytes of enclave memory as the kernel counts them for each NUMA node; upstream sums CPUID 0x12. */
async function sgx(host: HostRoot): Promise<Record<string, string>> {
  const folder = 'sys/devices/system/node';
  const nodes = ((await host.listIfPresent(folder)) ?? []).filter((name) => /^node\d+$/.test(name));
  const sizes = nodes.map((node) => host.readValue(`${folder}/${node}/x86/sgx_total_bytes`));
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + Number(size ?? 0), 0);
  return total > 0 ? { 'sgx.enabled': 'true', 'sgx.epc': String(total) } : {};
}

/** A resource's limit in the misc cgroup controller; undefined for `max`. */
async function miscCapacity(host: HostRoot, name: string, { byPrefix }: { byPrefix: boolean }) {
  const text =
    (await host.readIfPresent('sys/fs/cgroup/misc.capacity')) ??
    (await host.readIfPresent('sys/fs/cgroup/misc/misc.capacity')) ??
    '';
  const line = text.split('\n').find((candidate) => candidate.startsWith(byPrefix ? name : `${name} `));
  const value = line?.split(' ')[1]?.trim() ?? '';
  return /^\d+$/.test(value) ? value : undefined;
}
