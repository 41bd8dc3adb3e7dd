import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runCommand } from '../host/command.ts';
import * as config from '../host/config.ts';
import { cachedEntry } from './cached-entry.ts';
import type { Kernel } from './kernels.ts';
import { findProgram } from './program.ts';

const SPARE_BYTES = 24 * 1024 * 1024; // inode tables and directories
const KMOD_NAMES = ['depmod', 'insmod', 'lsmod', 'modinfo', 'modprobe', 'rmmod'];
const CA_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const EMPTY_FOLDERS = ['dev', 'etc/kubernetes', 'opt/kmm', 'proc', 'root', 'run', 'sys', 'tmp', 'var/lib/kmm'];
const TEXT_FILES: Record<string, string> = {
  'etc/os-release':
    'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\nPRETTY_NAME="kmm-hub lab node, Debian kernel"\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
  'etc/hosts': '127.0.0.1 localhost\n',
  'etc/nsswitch.conf': 'hosts: files\n',
};

export type SystemDiskOptions = { kernel: Kernel; cacheFolder?: string; signal: AbortSignal };

/**
 * The read-only disk all nodes of one kernel share: busybox, kmod and Node 24 with their libraries, and the kernel's whole
 * /lib/modules. A disk, not an initramfs: unpacked in memory the same files need 440 MiB and 1 s more of each node, here
 * a node reads only the pages it touches. Cached by the hash of what goes in; about 5 s to make, no root needed.
 */
export async function systemDisk({
  kernel,
  cacheFolder = config.cacheFolder(),
  signal,
}: SystemDiskOptions): Promise<string> {
  const tools = await findTools(signal);
  const key = await hashOf({ tools, kernel });
  return cachedEntry(join(cacheFolder, 'disks', `system-${kernel.release}-${key}.ext4`), async (temporary) => {
    const tree = `${temporary}.tree`;
    try {
      await layOut(tree, { tools, kernel });
      await makeFilesystem(tree, temporary, signal);
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  });
}

type Contents = { tools: Tools; kernel: Kernel };
type Tools = { busybox: string; applets: string[]; kmod: string; node: string; libraries: string[] };

async function findTools(signal: AbortSignal): Promise<Tools> {
  const busybox = findProgram('busybox');
  const kmod = await realpath(findProgram('kmod'));
  const node = await realpath(nodeBinary());
  const applets = (await runCommand(busybox, ['--list'], { signal })).split('\n');
  const loaded = await Promise.all([kmod, node].map((binary) => runCommand('ldd', [binary], { signal })));
  return { busybox, applets, kmod, node, libraries: parseLdd(loaded.join('\n')) };
}

/** The Node 24 that npm installed beside us; the one that runs this may be the system's. */
function nodeBinary(): string {
  return createRequire(import.meta.url).resolve(`node-linux-${process.arch}/bin/node`);
}

/** Paths of `ldd`'s lines `name => /path (0x…)` and of the loader `/path (0x…)`, each once. */
export function parseLdd(text: string): string[] {
  const paths = text.split('\n').flatMap((line) => /(?:^|=>)\s*(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return [...new Set(paths)].sort();
}

/** This file's own text is part of the key: whoever changes the layout gets a new disk. */
async function hashOf({ tools, kernel }: Contents): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .update(kernel.packageVersion);
  for (const file of [tools.busybox, tools.kmod, tools.node, ...tools.libraries]) {
    const { size, mtimeMs } = await stat(file); // contents would mean 130 MB to hash at each start
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function layOut(tree: string, { tools, kernel }: Contents): Promise<void> {
  for (const folder of ['bin', ...EMPTY_FOLDERS]) await mkdir(join(tree, folder), { recursive: true });
  for (const [path, text] of Object.entries(TEXT_FILES)) await writeFile(join(tree, path), text);
  const binaries = { busybox: tools.busybox, kmod: tools.kmod, node: tools.node };
  for (const [name, source] of Object.entries(binaries)) await copyTo(source, join(tree, 'bin', name));
  for (const library of tools.libraries) await copyTo(library, join(tree, library));
  for (const name of KMOD_NAMES) await symlink('kmod', join(tree, 'bin', name));
  const applets = tools.applets.filter((name) => !['busybox', ...KMOD_NAMES].includes(name));
  for (const name of applets) await symlink('busybox', join(tree, 'bin', name));
  for (const name of ['sbin', 'usr/bin', 'usr/sbin']) {
    await mkdir(dirname(join(tree, name)), { recursive: true });
    await symlink('/bin', join(tree, name)); // the agent and modprobe's callers look in any of them
  }
  await copyTo(CA_CERTIFICATES, join(tree, CA_CERTIFICATES));
  await cp(kernel.modulesDir, join(tree, 'lib/modules', kernel.release), { recursive: true });
  await copyTo(kernel.vmlinuz, join(tree, 'boot', `vmlinuz-${kernel.release}`));
}

async function copyTo(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await cp(source, target, { dereference: true });
  await chmod(target, 0o755);
}

async function makeFilesystem(tree: string, file: string, signal: AbortSignal): Promise<void> {
  const [kibibytes = '0'] = (await runCommand('du', ['-sk', tree], { signal })).split('\t');
  const size = Number(kibibytes) * 1024 + SPARE_BYTES;
  const format = ['-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0', '-d', tree, file];
  await runCommand(findProgram('mke2fs'), [...format, `${Math.ceil(size / 1024)}k`], { signal });
}
