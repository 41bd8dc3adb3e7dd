import { expect, test } from 'vitest';
import { hostTree, type Tree } from '../test/host-tree.ts';
import { readCpuInfo } from './cpuinfo.ts';
import { discoverModel } from './model.ts';

const DMI = 'sys/devices/virtual/dmi/id';
const x86 = (vendor: string, flags = '') =>
  `processor\t: 0\nvendor_id\t: ${vendor}\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: x\nflags\t\t: fpu ${flags}\n`;
const N1 =
  'processor\t: 0\nFeatures\t: fp asimd cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n';
const Z13 =
  'vendor_id       : IBM/S390\n# processors    : 1\nfeatures\t: esan3 zarch\nprocessor 0: version = 00,  identification = 0A1B2C,  machine = 2964\n';

async function modelOf(cpuinfo: string, tree: Tree = {}) {
  await using root = await hostTree({ 'proc/cpuinfo': cpuinfo, ...tree });
  const { attributes = {} } = await discoverModel(root.host, await readCpuInfo(root.host));
  return attributes['cpu.model'];
}

test.each([
  ['GenuineIntel', 'Intel'],
  ['AuthenticAMD', 'AMD'],
  ['HygonGenuine', 'Hygon'],
  ['  Shanghai  ', 'VendorUnknown'],
])('names the vendor %s %s', async (id, vendor) => {
  expect(await modelOf(x86(id))).toEqual({ vendor_id: vendor, family: '6', id: '85', hypervisor: 'none' });
});

test.each<[Tree, string | undefined]>([
  [{ [`${DMI}/sys_vendor`]: 'QEMU\n' }, 'kvm'],
  [{ [`${DMI}/sys_vendor`]: 'VMware, Inc.\n' }, 'vmware'],
  [{ [`${DMI}/sys_vendor`]: 'Microsoft Corporation\n', [`${DMI}/product_name`]: 'Virtual Machine\n' }, 'msvm'],
  [{ [`${DMI}/sys_vendor`]: 'Microsoft Corporation\n', [`${DMI}/product_name`]: 'Surface\n' }, undefined],
  [{ 'sys/hypervisor/type': 'xen\n' }, 'xenhvm'],
  [{}, undefined],
])('of a guest with %j the hypervisor is %s', async (tree, want) => {
  expect((await modelOf(x86('GenuineIntel', 'hypervisor'), tree))?.hypervisor).toBe(want);
});

test('puts the register of a Neoverse N1 together from cpuinfo', async () => {
  expect(await modelOf(N1)).toEqual({ vendor_id: 'ARM', family: '63', id: '53441', hypervisor: 'none' });
});

test('prefers the register where the kernel shows it', async () => {
  const register = 'sys/devices/system/cpu/cpu0/regs/identification/midr_el1';
  expect(await modelOf(N1, { [register]: '0x00000000c00fac30\n' })).toMatchObject({
    vendor_id: 'Ampere',
    family: '15',
    id: '44080',
  });
});

test('reads the machine of an s390x', async () => {
  const want = { vendor_id: 'IBM_S390', family: '0A1B2C', id: '2964' };
  expect(await modelOf(Z13)).toEqual({ ...want, hypervisor: 'none' });
  const guest = { 'proc/sysinfo': 'LPAR Number: 1\nVM00 Control Program: KVM/Linux   \n' };
  expect(await modelOf(Z13, guest)).toEqual({ ...want, hypervisor: 'KVM_Linux' });
});
