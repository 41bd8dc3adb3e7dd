import type { HostRoot } from '../host-root.ts';

export type Architecture = 'x86' | 'arm64' | 's390x' | 'other';

/** /proc/cpuinfo. */
export type CpuInfo = {
  architecture: Architecture;
  /** The first processor's lines, `cpu family` → `6`; on s390x those in front of the first processor too. */
  fields: ReadonlyMap<string, string>;
  /** The kernel's words for what the CPU can do and the kernel lets it: `flags`, `Features` or `features`. */
  flags: ReadonlySet<string>;
};

/** @throws Node's error when there is no /proc/cpuinfo */
export async function readCpuInfo(host: HostRoot): Promise<CpuInfo> {
  return parseCpuInfo(await host.read('proc/cpuinfo'));
}

export function parseCpuInfo(text: string): CpuInfo {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(colon, 0)).trim();
    if (key === 'processor' && fields.has(key)) break; // the next CPU says the same
    if (key !== '' && !fields.has(key)) fields.set(key, line.slice(colon + 1).trim());
  }
  const words = fields.get('flags') ?? fields.get('Features') ?? fields.get('features') ?? '';
  return { architecture: architectureOf(fields), fields, flags: new Set(words.split(/\s+/).filter(Boolean)) };
}

/** Each architecture's cpuinfo has its own words, so that the file itself says which it is. */
function architectureOf(fields: ReadonlyMap<string, string>): Architecture {
  if (fields.has('flags')) return 'x86';
  if (fields.get('vendor_id') === 'IBM/S390') return 's390x';
  return fields.get('CPU architecture') === '8' ? 'arm64' : 'other';
}

/** A decimal or 0x-number of cpuinfo; 0 when it is missing. */
export function numberOf(fields: ReadonlyMap<string, string>, name: string): number {
  const value = Number(fields.get(name) ?? 0);
  return Number.isInteger(value) ? value : 0;
}
