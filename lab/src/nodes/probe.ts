import type { ProbePort } from './probe-port.ts';

/** One line of /proc/modules, proc(5). */
export type LoadedModule = {
  name: string;
  sizeBytes: number;
  references: number;
  usedBy: string[];
  state: string;
  /** Taint letters, e.g. `OE` for out-of-tree and unsigned; empty for a module of the distribution. */
  taints: string;
};

/** What the kernel of a node says of itself, read over a serial port that the agent has no part in. */
export type Probe = {
  /** `uname -r`. */
  release(signal: AbortSignal): Promise<string>;
  /** Another one after each start of the kernel. */
  bootId(signal: AbortSignal): Promise<string>;
  modules(signal: AbortSignal): Promise<LoadedModule[]>;
  /** The values of /sys/module/<name>/parameters that can be read. Throws ProbeRefusedError when it is not loaded. */
  parameters(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  /** Lines of `dmesg`, oldest first. */
  kernelLog(signal: AbortSignal): Promise<string[]>;
  /** Paths of everything below a folder, relative to it. Throws ProbeRefusedError when there is no such folder. */
  list(folder: string, signal: AbortSignal): Promise<string[]>;
  /** Whether the firmware says that Secure Boot is on; false without EFI. */
  secureBoot(signal: AbortSignal): Promise<boolean>;
};

/** The questions that guest/probe answers. All throw NodeUnreachableError when the node is off, hangs or restarts. */
export function probeOf(port: ProbePort): Probe {
  return {
    release: (signal) => port.ask('uname', signal),
    bootId: (signal) => port.ask('boot-id', signal),
    modules: async (signal) => parseModules(await port.ask('modules', signal)),
    parameters: async (name, signal) => {
      const lines = linesOf(await port.ask(`parameters ${name.replaceAll('-', '_')}`, signal));
      return Object.fromEntries(lines.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
    },
    kernelLog: async (signal) => linesOf(await port.ask('dmesg', signal)),
    list: async (folder, signal) => {
      const paths = linesOf(await port.ask(`files ${folder}`, signal));
      return paths.map((path) => path.replace(/^\.\//, '')).sort();
    },
    secureBoot: async (signal) => (await port.ask('secureboot', signal)).trim() === '1',
  };
}

/** Reads /proc/modules, e.g. `overlay 163840 1 - Live 0xffffffffc0a00000 (OE)`. */
export function parseModules(text: string): LoadedModule[] {
  return linesOf(text).map((line) => {
    const [name = '', size, references, users = '-', state = '', , taints = ''] = line.split(' ');
    return {
      name,
      sizeBytes: Number(size),
      references: Number(references),
      usedBy: users === '-' ? [] : users.split(',').filter(Boolean),
      state,
      taints: taints.replace(/[()]/g, ''),
    };
  });
}

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
