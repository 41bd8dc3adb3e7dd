import { discoverParts, type FeatureSource, present, type RawFeatures, type SourceLabels } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';
import type { FeatureOptions } from '../options.ts';
import { type CpuInfo, readCpuInfo } from './cpuinfo.ts';
import { hwcapFlags } from './hwcap.ts';
import { discoverModel } from './model.ts';
import { discoverCstate, discoverPstate } from './power.ts';
import { discoverRdt } from './rdt.ts';
import { discoverSecurity } from './security.ts';
import { discoverCoreTypes, discoverCpuTopology } from './topology.ts';
import { x86Flags } from './x86-flags.ts';

const SECURITY_LABELS =
  'sgx.enabled tdx.enabled tdx.protected sev.enabled sev.es.enabled sev.snp.enabled se.enabled'.split(' ');

/** CPU facts, from /proc/cpuinfo and sysfs: no instruction is executed to learn them. */
export const cpuSource: FeatureSource = {
  name: 'cpu',
  discover(host, options) {
    const cpuinfo = readCpuInfo(host);
    return discoverParts([
      cpuinfo.then((cpu) => cpuidOf(cpu, options)),
      cpuinfo.then((cpu) => discoverModel(host, cpu)),
      cpuinfo.then((cpu) => discoverRdt(host, cpu)),
      cpuinfo.then((cpu) => discoverSecurity(host, cpu, options)),
      discoverCpuTopology(host, options),
      discoverCoreTypes(host),
      discoverCstate(host),
      discoverPstate(host),
      discoverCoprocessor(host),
    ]);
  },
  labels({ flags = {}, attributes = {} }, options) {
    const { turbo, status, scaling_governor: governor } = attributes['cpu.pstate'] ?? {};
    return present({
      ...cpuidLabels(flags['cpu.cpuid'] ?? [], options),
      ...prefixed('model', attributes['cpu.model']),
      ...securityLabels(attributes['cpu.security']),
      ...coreTypeLabels(attributes['cpu.coretype'], options),
      hardware_multithreading: attributes['cpu.topology']?.hardware_multithreading,
      'cstate.enabled': attributes['cpu.cstate']?.enabled,
      'pstate.status': status,
      'pstate.turbo': turbo,
      'pstate.scaling_governor': governor,
      'coprocessor.nx_gzip': attributes['cpu.coprocessor']?.nx_gzip,
    });
  },
};

function cpuidOf(cpu: CpuInfo, options: FeatureOptions): RawFeatures {
  if (cpu.architecture !== 'x86') return { flags: { 'cpu.cpuid': hwcapFlags(cpu) } };
  return { flags: { 'cpu.cpuid': x86Flags(cpu, options) }, attributes: { 'cpu.cpuid': {} } };
}

/** ppc64le's compression unit. */
async function discoverCoprocessor(host: HostRoot): Promise<RawFeatures> {
  const found = await host.exists('sys/devices/vio/ibm,compression-v1/nx_gzip_caps');
  return { attributes: { 'cpu.coprocessor': found ? { nx_gzip: 'true' } : {} } };
}

/** The whitelist alone decides when it has an entry; the blacklist otherwise. */
function cpuidLabels(flags: readonly string[], { cpuid }: FeatureOptions): SourceLabels {
  const current = (names: readonly string[]) =>
    new Set(
      cpuid.aliasLegacyNames ? names.map((name) => name.replace('SSE4.1', 'SSE4').replace('SSE4.2', 'SSE42')) : names,
    );
  const [allowed, hidden] = [current(cpuid.attributeWhitelist), current(cpuid.attributeBlacklist)];
  const shown = flags.filter((flag) => (allowed.size > 0 ? allowed.has(flag) : !hidden.has(flag)));
  return Object.fromEntries(shown.map((flag) => [`cpuid.${flag}`, 'true']));
}

function securityLabels(security: Readonly<Record<string, string>> = {}): SourceLabels {
  const on = SECURITY_LABELS.filter((name) => security[name] === 'true');
  return Object.fromEntries(on.map((name) => [`security.${name}`, 'true']));
}

function coreTypeLabels(
  kinds: Readonly<Record<string, string>> = {},
  { upstreamDefects }: FeatureOptions,
): SourceLabels {
  const labelled = ['cpu_atom', 'cpu_core'].filter((kind) => kinds[kind] !== undefined && !upstreamDefects);
  return Object.fromEntries(labelled.map((kind) => [kind, 'true']));
}

function prefixed(prefix: string, elements: Readonly<Record<string, string>> = {}): SourceLabels {
  return Object.fromEntries(Object.entries(elements).map(([name, value]) => [`${prefix}.${name}`, value]));
}
