import { type CpuInfo, numberOf } from './cpuinfo.ts';
import { type Gate, type X86Row, x86Table } from './x86-table.ts';

type Entry = { name: string; flag: string; gate: Gate | undefined };

const AMD = ['AuthenticAMD', 'AMDisbetter!'];

/** Kernel flags that each level adds to the one below (System V ABI, x86-64-v1 to v4). */
const LEVELS = [
  'cmov cx8 fpu fxsr mmx sse sse2',
  'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3',
  'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave',
  'avx512f avx512bw avx512cd avx512dq avx512vl',
];

/**
 * NFD's names for what /proc/cpuinfo shows, sorted: a subset of what executing CPUID gives, since the kernel hides what
 * the firmware or its command line turned off, and shows no flag for some bits.
 */
export function x86Flags(cpu: CpuInfo, { upstreamDefects }: { upstreamDefects: boolean }): string[] {
  const open = openGates(cpu, upstreamDefects);
  const seen = entries.filter(({ flag, gate }) => (gate === undefined || open.has(gate)) && cpu.flags.has(flag));
  const names = new Set(seen.map(({ name }) => name));
  for (const name of [...computed(cpu), ...levels(names, cpu.flags)]) names.add(name);
  return [...names].sort();
}

function openGates({ flags, fields }: CpuInfo, upstreamDefects: boolean): Set<Gate> {
  const vendor = fields.get('vendor_id') ?? '';
  const byFlag = (['avx', 'avx512f', 'bmi1', 'svm', 'xsave', 'ibs', 'sgx'] as const).filter((flag) => flags.has(flag));
  const gates = new Set<Gate>(byFlag);
  if (AMD.includes(vendor)) gates.add('amd').add('amdOrHygon');
  if (vendor === 'HygonGenuine') gates.add('amdOrHygon');
  if (upstreamDefects) gates.add('strict');
  if (upstreamDefects && flags.has('avx512f')) gates.add('strictAvx512f');
  return gates;
}

/** Names that follow from vendor, family and model. */
function computed({ flags, fields }: CpuInfo): string[] {
  const vendor = fields.get('vendor_id') ?? '';
  const maker = AMD.includes(vendor) ? 'AMD' : vendor;
  const cpu = { maker, family: numberOf(fields, 'cpu family'), model: numberOf(fields, 'model') };
  const threaded = flags.has('ht') && numberOf(fields, 'siblings') > numberOf(fields, 'cpu cores');
  return [
    ...(flags.has('avx') && hasSlowAvx(cpu) ? ['AVXSLOW'] : []),
    ...(threaded && ['AMD', 'GenuineIntel'].includes(maker) ? ['HTT'] : []),
    ...(isSafeFromTsa(cpu) ? ['TSA_L1_NO', 'TSA_SQ_NO'] : []),
  ];
}

type Identity = { maker: string; family: number; model: number };

/** AVX in two halves: Intel before Haswell, AMD before Zen 2. */
function hasSlowAvx({ maker, family, model }: Identity): boolean {
  if (maker === 'GenuineIntel') return family === 6 && model < 60;
  return maker === 'AMD' && (family < 23 || (family === 23 && model < 49));
}

/** AMD's transient scheduler attacks concern Zen 3 and Zen 4 only. */
function isSafeFromTsa({ maker, family, model }: Identity): boolean {
  const zen5 = family === 0x1a && (model <= 0x4f || (model >= 0x60 && model <= 0x7f));
  return maker === 'AMD' && (family < 0x19 || zen5);
}

/** `X86_64_V1` to the highest that holds; none on a CPU without system calls. */
function levels(names: ReadonlySet<string>, flags: ReadonlySet<string>): string[] {
  if (!names.has('SYSEE') && !names.has('SYSCALL')) return [];
  const missing = LEVELS.findIndex((level) => !level.split(' ').every((flag) => flags.has(flag)));
  return LEVELS.slice(0, missing < 0 ? LEVELS.length : missing).map((_flags, index) => `X86_64_V${index + 1}`);
}

function parseRow({ gate, entries: text }: X86Row): Entry[] {
  return text.split(' ').map((entry) => {
    const [, name = '', flag = ''] = /^(\w+)@\d+=([^~]+)~?$/.exec(entry) ?? [];
    return { name, flag, gate };
  });
}

const entries = x86Table.flatMap(parseRow);
