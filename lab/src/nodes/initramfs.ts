import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runCommand } from '../host/command.ts';
import type { BundleFile } from './agent-bundle.ts';
import { type CpioEntry, cpioArchive, parentFolders } from './cpio.ts';
import type { Kernel } from './kernels.ts';
import { findProgram } from './program.ts';

/** Drivers between the kernel's start and its system disk. Those built into a kernel are left out by modprobe. */
const BOOT_MODULES = ['virtio_pci', 'virtio_blk', 'ext4', 'overlay'];
const MOUNT_POINTS = ['dev', 'lower', 'upper', 'root'];
const GUEST_SCRIPTS = ['boot', 'probe', 'shutdown', 'supervise'];

/** What a node has that no other has. Values of `environment` reach a shell: they are quoted here. */
export type NodeFiles = {
  environment: Readonly<Record<string, string>>;
  /** Files below /opt/kmm/node, e.g. `token`. Readable by root alone. */
  secrets: Readonly<Record<string, string>>;
  agent: readonly BundleFile[];
};

/**
 * The initramfs of one start: the few modules that reach the system disk, and the node's own files (scripts, agent, token),
 * which the first stage moves to /opt/kmm. About 6 MB; not compressed, since unpacking costs an emulated CPU more than
 * reading. Holds the node's token: keep it readable by its owner alone.
 */
export async function initramfs(kernel: Kernel, node: NodeFiles, signal: AbortSignal): Promise<Buffer> {
  const modules = await bootModules(kernel, signal);
  const scripts = await Promise.all(GUEST_SCRIPTS.map((name) => guestScript(name, `kmm/guest/${name}`)));
  const files = [
    await guestScript('init', 'init'),
    file('bin/busybox', await readFile(findProgram('busybox')), 0o755),
    file('modules/order', Buffer.from(modules.map((path) => `${basename(path)}\n`).join('')), 0o644),
    ...(await Promise.all(modules.map(async (path) => file(`modules/${basename(path)}`, await readFile(path), 0o644)))),
    ...scripts,
    ...node.agent.map(({ path, content }) => file(`kmm/agent/${path}`, content, 0o644)),
    ...Object.entries(node.secrets).map(([name, text]) => file(`kmm/node/${name}`, Buffer.from(text), 0o600)),
    file('kmm/node/env', Buffer.from(shellAssignments(node.environment)), 0o600),
  ];
  const folders = parentFolders(files.map(({ path }) => path));
  const mountPoints = MOUNT_POINTS.map((path): CpioEntry => ({ kind: 'folder', path }));
  return cpioArchive([...mountPoints, ...folders, ...files]);
}

/** `export NAME='value'` lines that a shell reads back as the same values, whatever they hold. */
export function shellAssignments(values: Readonly<Record<string, string>>): string {
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  return Object.entries(values)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('');
}

/** Paths of the modules in the order they must be loaded in, dependencies first. */
async function bootModules(kernel: Kernel, signal: AbortSignal): Promise<string[]> {
  const args = ['--show-depends', '--set-version', kernel.release, '--dirname', kernel.root, '--all', ...BOOT_MODULES];
  const text = await runCommand(findProgram('modprobe'), args, { signal });
  return parseShowDepends(text);
}

/** Reads `modprobe --show-depends`: lines `insmod /path/x.ko ` and, for what is built in, `builtin x`. */
export function parseShowDepends(text: string): string[] {
  const paths = text.split('\n').flatMap((line) => /^insmod (.+?)\s*$/.exec(line)?.[1] ?? []);
  return [...new Set(paths)];
}

async function guestScript(name: string, path: string) {
  return file(path, await readFile(join(import.meta.dirname, 'guest', name)), 0o755);
}

function file(path: string, content: Buffer, mode: number) {
  return { kind: 'file', path, content, mode } as const;
}
