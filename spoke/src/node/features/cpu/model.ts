import { present, type RawFeatures } from '../feature-source.ts';
import type { HostRoot } from '../host-root.ts';
import { type CpuInfo, numberOf } from './cpuinfo.ts';

const UNKNOWN = 'VendorUnknown';

const X86_VENDORS: Readonly<Record<string, string>> = {
  GenuineIntel: 'Intel',
  AuthenticAMD: 'AMD',
  'AMDisbetter!': 'AMD',
  HygonGenuine: 'Hygon',
  CentaurHauls: 'VIA',
  'VIA VIA VIA': 'VIA',
  TransmetaCPU: 'Transmeta',
  GenuineTMx86: 'Transmeta',
  'Geode by NSC': 'NSC',
  'Vortex86 SoC': 'SiS',
  'SiS SiS SiS': 'SiS',
  RiseRiseRise: 'SiS',
  'Genuine  RDC': 'RDC',
};

/** Implementer byte of MIDR_EL1. */
const ARM_VENDORS: Readonly<Record<number, string>> = {
  192: 'Ampere',
  65: 'ARM',
  66: 'Broadcom',
  67: 'Cavium',
  68: 'DEC',
  70: 'Fujitsu',
  73: 'Infineon',
  77: 'Motorola',
  78: 'NVIDIA',
  80: 'AMCC',
  81: 'Qualcomm',
  86: 'Marvell',
  105: 'Intel',
};

/** `cpu.model`: vendor_id, family, id, and the hypervisor where it can be told. */
export async function discoverModel(host: HostRoot, cpu: CpuInfo): Promise<RawFeatures> {
  const hypervisor = await hypervisorOf(host, cpu);
  return { attributes: { 'cpu.model': present({ ...(await modelOf(host, cpu)), hypervisor }) } };
}

async function modelOf(host: HostRoot, { architecture, fields, flags }: CpuInfo) {
  if (architecture === 'x86') {
    const vendor = X86_VENDORS[fields.get('vendor_id') ?? ''] ?? UNKNOWN;
    return model(vendor, numberOf(fields, 'cpu family'), numberOf(fields, 'model'));
  }
  if (architecture === 's390x') return s390xModel(fields);
  if (architecture !== 'arm64' || !flags.has('cpuid')) return model(UNKNOWN, 0, 0);
  const midr = await midrOf(host, fields);
  return model(ARM_VENDORS[midr >>> 24] ?? UNKNOWN, (midr >>> 16) & 0xff, midr & 0xffff);
}

const model = (vendor: string, family: number, id: number) => ({
  vendor_id: vendor,
  family: String(family),
  id: String(id),
});

/** "processor 0: version = 00,  identification = 0123456,  machine = 2964" */
function s390xModel(fields: ReadonlyMap<string, string>) {
  const processor = fields.get('processor 0') ?? '';
  const part = (name: string) => new RegExp(`${name} = (\\w+)`).exec(processor)?.[1];
  return {
    vendor_id: sanitise(fields.get('vendor_id') ?? ''),
    family: part('identification'),
    id: part('machine'),
  };
}

/** The register where the kernel shows it; else put together again: cpuinfo prints architecture 8 where it holds 0xF. */
async function midrOf(host: HostRoot, fields: ReadonlyMap<string, string>): Promise<number> {
  const register = await host.readValue('sys/devices/system/cpu/cpu0/regs/identification/midr_el1');
  if (register !== undefined) return Number(BigInt.asUintN(32, BigInt(register)));
  const [implementer, variant] = [numberOf(fields, 'CPU implementer'), numberOf(fields, 'CPU variant')];
  const [part, revision] = [numberOf(fields, 'CPU part'), numberOf(fields, 'CPU revision')];
  return ((implementer << 24) | (variant << 20) | (0xf << 16) | (part << 4) | revision) >>> 0;
}

async function hypervisorOf(host: HostRoot, { architecture, flags }: CpuInfo): Promise<string | undefined> {
  if (architecture === 's390x') return s390xHypervisor((await host.readValue('proc/sysinfo')) ?? '');
  if (!flags.has('hypervisor')) return 'none';
  if ((await host.readValue('sys/hypervisor/type')) === 'xen') return 'xenhvm';
  const vendor = await host.readValue('sys/devices/virtual/dmi/id/sys_vendor');
  const product = await host.readValue('sys/devices/virtual/dmi/id/product_name');
  return hypervisorByDmi(vendor, product);
}

function s390xHypervisor(sysinfo: string): string {
  const [, program] = /Control Program:(.*)/.exec(sysinfo) ?? [];
  return program === undefined ? 'none' : sanitise(program.trim());
}

/**
 * Upstream asks CPUID leaf 0x40000000; without it DMI names the common ones. Undefined rather than a guess when it says
 * nothing.
 */
function hypervisorByDmi(vendor = '', product = ''): string | undefined {
  if (vendor === 'Microsoft Corporation') return product === 'Virtual Machine' ? 'msvm' : undefined;
  if (vendor === 'VMware, Inc.') return 'vmware';
  return ['QEMU', 'Amazon EC2', 'Google'].includes(vendor) ? 'kvm' : undefined;
}

/** `IBM/S390` → `IBM_S390` */
const sanitise = (text: string) => text.replaceAll(/[^-A-Za-z0-9_.]+/g, '_');
