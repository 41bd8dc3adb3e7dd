import { expect, test } from 'vitest';
import { qemuArguments } from './machine.ts';

const machine = {
  name: 'worker',
  vmlinuz: 'vmlinuz',
  initramfs: 'initramfs',
  systemDisk: 'system.ext4',
  stateDisk: 'state.img',
  cpus: 2,
  memoryMiB: 512,
  pci: [],
  accelerator: 'tcg',
} as const;

test('each CPU is a NUMA node with an even share of the memory', () => {
  const text = qemuArguments({ ...machine, cpus: 4 }).join(' ');
  expect(text).toContain('-smp 4 -m 512M');
  expect(text.match(/memory-backend-ram,id=memory\d,size=128M/g)).toHaveLength(4);
  expect(text).toContain('node,nodeid=3,cpus=3,memdev=memory3');
});

test('the system disk is shared read-only and comes before the state disk', () => {
  const text = qemuArguments(machine).join(' ');
  expect(text).toMatch(/file=system\.ext4,readonly=on.*file=state\.img /);
});

test('KVM is used only when asked for', () => {
  expect(qemuArguments(machine)).toContain('tcg,thread=multi');
  expect(qemuArguments({ ...machine, accelerator: 'kvm' })).toContain('kvm');
});

test('firmware with Secure Boot has a flash chip that only code in system management mode may write', () => {
  const text = qemuArguments({ ...machine, firmware: { code: 'code.fd', vars: 'a,b/vars.fd' } }).join(' ');
  expect(text).toContain('-machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on');
  expect(text).toContain('if=pflash,format=raw,unit=0,file=code.fd,readonly=on');
  expect(text).toContain('if=pflash,format=raw,unit=1,file=a,,b/vars.fd');
  expect(qemuArguments(machine).join(' ')).not.toContain('pflash');
});
