import { present, type RawFeatures } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';

const CPU = 'sys/devices/system/cpu';

/** `cpu.cstate`: whether the intel_idle driver may leave C0. Another driver: an empty set. */
export async function discoverCstate(host: HostRoot): Promise<RawFeatures> {
  await host.list(CPU); // without it nothing can be said: throws
  if ((await host.readValue(`${CPU}/cpuidle/current_driver`)) !== 'intel_idle')
    return { attributes: { 'cpu.cstate': {} } };
  const maximum = (await host.readValue('sys/module/intel_idle/parameters/max_cstate')) ?? '';
  if (!/^[-+]?\d+$/.test(maximum)) return {};
  return { attributes: { 'cpu.cstate': { enabled: String(Number(maximum) > 0) } } };
}

/** `cpu.pstate`: status, turbo, and the governor all CPUs agree on; empty when intel_pstate is off or not there. */
export async function discoverPstate(host: HostRoot): Promise<RawFeatures> {
  const status = await host.readValue(`${CPU}/intel_pstate/status`);
  if (status === undefined || status === 'off') return { attributes: { 'cpu.pstate': {} } };
  const noTurbo = (await host.readIfPresent(`${CPU}/intel_pstate/no_turbo`)) || undefined;
  const turbo = noTurbo === undefined ? undefined : String(noTurbo.startsWith('0'));
  const governor = status === 'active' ? await commonGovernor(host) : undefined;
  return { attributes: { 'cpu.pstate': present({ status, turbo, scaling_governor: governor }) } };
}

async function commonGovernor(host: HostRoot): Promise<string | undefined> {
  const policies = (await host.listIfPresent(`${CPU}/cpufreq`)) ?? [];
  const governors = policies.map(async (policy) => {
    const affected = await host.readValue(`${CPU}/cpufreq/${policy}/affected_cpus`);
    return affected ? host.readValue(`${CPU}/cpufreq/${policy}/scaling_governor`) : undefined;
  });
  const distinct = new Set((await Promise.all(governors)).filter((governor) => governor !== undefined));
  return distinct.size === 1 ? [...distinct][0] : undefined;
}
