/** One virtual machine as QEMU is to start it. Files are absolute paths or relative to QEMU's working folder. */
export type Machine = {
  name: string;
  vmlinuz: string;
  initramfs: string;
  /** Shared and read-only. */
  systemDisk: string;
  stateDisk: string;
  cpus: number;
  memoryMiB: number;
  /** More PCI devices as QEMU names them, e.g. `edu`. */
  pci: readonly string[];
  accelerator: Accelerator;
  /** UEFI with Secure Boot; without it QEMU's own BIOS starts the kernel. */
  firmware?: Firmware;
};

/** Two flash chips: the program, shared and read-only, and the machine's own variables. */
export type Firmware = { code: string; vars: string };

/** `tcg` emulates and works everywhere; `kvm` only for a caller that has seen it boot something on this machine. */
export type Accelerator = 'tcg' | 'kvm';

export const QEMU = 'qemu-system-x86_64';
export const PROBE_SOCKET = 'probe.sock';
export const CONSOLE_LOG = 'console.log';
export const AGENT_LOG = 'agent.log';

/**
 * QEMU's arguments. Virtio ports: the probe (a unix socket) and the agent's log (a file), both in QEMU's working folder.
 * `-no-reboot`: a guest that restarts, in order or by a panic, ends QEMU, so that the next start may have another kernel.
 */
export function qemuArguments(machine: Machine): string[] {
  return [
    ...['-name', machine.name, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-accel', machine.accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi', '-cpu', 'max'],
    ...board(machine.firmware),
    ...topology(machine),
    ...['-kernel', machine.vmlinuz, '-initrd', machine.initramfs],
    ...['-append', 'console=ttyS0 mitigations=off panic=-1'],
    ...['-chardev', `file,id=console,path=${CONSOLE_LOG},append=on`, '-serial', 'chardev:console'],
    ...drive('system', `${escaped(machine.systemDisk)},readonly=on`),
    ...drive('state', escaped(machine.stateDisk)),
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', `socket,id=probe,path=${PROBE_SOCKET},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=probe,name=org.kmm-hub.probe'],
    ...['-chardev', `file,id=agent,path=${AGENT_LOG},append=on`],
    ...['-device', 'virtserialport,chardev=agent,name=org.kmm-hub.agent'],
    ...machine.pci.flatMap((device) => ['-device', device]),
  ];
}

/** Only code in system management mode may write a flash chip that is `secure`: else the guest could enrol keys. */
function board(firmware: Firmware | undefined): string[] {
  if (firmware === undefined) return ['-machine', 'q35'];
  const flash = (unit: number, file: string) => ['-drive', `if=pflash,format=raw,unit=${unit},file=${file}`];
  return [
    ...['-machine', 'q35,smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...flash(0, `${escaped(firmware.code)},readonly=on`),
    ...flash(1, escaped(firmware.vars)),
  ];
}

/** One NUMA node for each CPU with an even share of the memory, so that two CPUs already have a topology to show. */
function topology({ cpus, memoryMiB }: Machine): string[] {
  const size = Math.floor(memoryMiB / cpus);
  const numa = Array.from({ length: cpus }, (_, node) => [
    ...['-object', `memory-backend-ram,id=memory${node},size=${size}M`],
    ...['-numa', `node,nodeid=${node},cpus=${node},memdev=memory${node}`],
  ]);
  return ['-smp', String(cpus), '-m', `${size * cpus}M`, ...numa.flat()];
}

function drive(name: string, file: string): string[] {
  return [
    '-drive',
    `if=none,id=${name},format=raw,file=${file}`,
    '-device',
    `virtio-blk-pci,drive=${name},serial=${name}`,
  ];
}

/** QEMU splits its options at commas, and a cache folder may be called anything. */
function escaped(path: string): string {
  return path.replaceAll(',', ',,');
}
