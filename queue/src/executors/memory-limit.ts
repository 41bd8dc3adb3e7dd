import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppliedLimit } from './executor.ts';

/** `joinFile`: a process that writes 0 there is under the limit; `ulimits`: flags of buildah for each step's processes. */
export type MemoryLimit = AsyncDisposable & { kind: AppliedLimit; joinFile: string | undefined; ulimits: string[] };

const MIB = 1024 * 1024;
const MAX_PROCESSES = 4096;

/**
 * A cgroup (version 2) of its own where the worker may make one with the memory controller; else RLIMIT_DATA on every
 * process of the steps, which bounds each alone. `root` is the file system's root, another one in tests.
 */
export async function limitMemory(name: string, memoryMiB: number | undefined, root = '/'): Promise<MemoryLimit> {
  const nothingToUndo = async () => undefined;
  if (memoryMiB === undefined) {
    return { kind: 'none', joinFile: undefined, ulimits: [], [Symbol.asyncDispose]: nothingToUndo };
  }
  const group = await makeGroup(name, memoryMiB, root);
  if (group === undefined) {
    const ulimits = ['--ulimit', `data=${memoryMiB * MIB}`];
    return { kind: 'prlimit', joinFile: undefined, ulimits, [Symbol.asyncDispose]: nothingToUndo };
  }
  // The processes are dead by now; a group that is still busy stays empty and costs nothing.
  const remove = () => rmdir(group).catch(() => undefined);
  return { kind: 'cgroup', joinFile: join(group, 'cgroup.procs'), ulimits: [], [Symbol.asyncDispose]: remove };
}

/** Undefined when it cannot be made here: another cgroup version, a read-only mount, a controller not handed down. */
async function makeGroup(name: string, memoryMiB: number, root: string): Promise<string | undefined> {
  try {
    const own = /^0::(.*)$/m.exec(await readFile(join(root, 'proc/self/cgroup'), 'utf8'))?.[1] ?? '/';
    const group = join(root, 'sys/fs/cgroup', own, `kmm-hub-${name}`);
    await access(join(root, 'sys/fs/cgroup/cgroup.controllers'));
    await mkdir(group);
    try {
      await writeFile(join(group, 'memory.max'), String(memoryMiB * MIB), { flag: 'r+' });
      await writeFile(join(group, 'memory.swap.max'), '0', { flag: 'r+' });
      await writeFile(join(group, 'pids.max'), String(MAX_PROCESSES), { flag: 'r+' });
      return group;
    } catch {
      await rmdir(group);
      return undefined;
    }
  } catch {
    return undefined; // the caller reports which limit holds; there is nothing else to do about it
  }
}
