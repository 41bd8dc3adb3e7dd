import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { HostFileTooLargeError, OutsideHostRootError } from './host-root-errors.ts';

export const hostRootDefaults = {
  /** A whole /proc/cpuinfo of 1,000 CPUs fits; what is larger is no fact about a node. */
  maxBytes: 4 * 1024 * 1024,
  /** As in the kernel's path walk. */
  maxLinks: 40,
};

/**
 * No file, or a file without a value right now: sysfs answers EINVAL for the speed of a link that is down, EIO for a
 * device that does not answer, ENODEV and ENXIO for one that just left.
 */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'EINVAL', 'EIO', 'EOPNOTSUPP', 'ELOOP']);

/**
 * The node's files: "/" on a node, "/host" in the DaemonSet, a folder in tests. Paths are relative to it, such as
 * `proc/modules`, and neither `..` nor a link leads out: an absolute link counts from the root, as it does on the node.
 * Missing files throw Node's own error, except in the `IfPresent` forms.
 */
export class HostRoot {
  /** Absolute, without a slash at the end, except for "/" itself. */
  readonly path: string;
  readonly #maxBytes: number;

  constructor(path: string, { maxBytes = hostRootDefaults.maxBytes }: { maxBytes?: number } = {}) {
    this.path = resolve(path);
    this.#maxBytes = maxBytes;
  }

  /** The bytes of a file. @throws HostFileTooLargeError over `maxBytes` (default 4 MiB) */
  async readBytes(path: string): Promise<Buffer> {
    // O_NONBLOCK: a FIFO where a file is expected must not hang the pass.
    const handle = await open(await this.locate(path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readAtMost(handle, { path, maxBytes: this.#maxBytes });
    } finally {
      await handle.close();
    }
  }

  /** A file as UTF-8, untrimmed; bytes that are no UTF-8 become U+FFFD. */
  async read(path: string): Promise<string> {
    return (await this.readBytes(path)).toString('utf8');
  }

  /** As `read`; undefined when the file, or its value, is absent. Other failures (EACCES) throw. */
  readIfPresent(path: string): Promise<string | undefined> {
    return unlessAbsent(this.read(path));
  }

  /** As `readIfPresent`, trimmed: the value of a sysfs attribute. */
  async readValue(path: string): Promise<string | undefined> {
    return (await this.readIfPresent(path))?.trim();
  }

  /** Names in a folder in byte order. */
  async list(path: string): Promise<string[]> {
    const names = await readdir(await this.locate(path));
    return names.sort();
  }

  /** As `list`; undefined when there is no such folder. */
  listIfPresent(path: string): Promise<string[] | undefined> {
    return unlessAbsent(this.list(path));
  }

  async exists(path: string): Promise<boolean> {
    return (await unlessAbsent(this.locate(path).then(stat))) !== undefined;
  }

  /** The target of a link as it is written there; undefined when there is none. */
  async readlink(path: string): Promise<string | undefined> {
    const parent = await unlessAbsent(this.locate(join(path, '..')));
    return parent === undefined ? undefined : unlessAbsent(readlink(join(parent, path.split('/').at(-1) ?? '')));
  }

  /**
   * The absolute path, links resolved, for tools that need one.
   * @throws OutsideHostRootError when the path climbs out with `..`
   */
  async locate(path: string): Promise<string> {
    const wanted = resolve(this.path, path.replace(/^\/+/, ''));
    if (!this.#holds(wanted)) throw new OutsideHostRootError(path);
    if (this.path === '/') return wanted;
    const real = await unlessAbsent(realpath(wanted)); // one system call serves nearly every path
    if (real !== undefined && this.#holds(real)) return real;
    return this.#walk(path);
  }

  #holds(path: string): boolean {
    return this.path === '/' || path === this.path || path.startsWith(this.path + sep);
  }

  /** Resolves link by link, as a chroot would: `..` stops at the root, an absolute target starts there. */
  async #walk(path: string): Promise<string> {
    let at = this.path;
    let pending = path.split('/');
    for (let links = 0; pending.length > 0; ) {
      const [name = '', ...rest] = pending;
      pending = rest;
      const next = name === '..' && at === this.path ? at : join(at, name);
      if (next === at || name === '..' || !(await lstat(next)).isSymbolicLink()) {
        at = next;
        continue;
      }
      links += 1;
      if (links > hostRootDefaults.maxLinks) throw new OutsideHostRootError(path);
      const target = await readlink(next);
      if (target.startsWith('/')) at = this.path;
      pending = [...target.split('/'), ...rest];
    }
    return at;
  }
}

/** Size is measured by reading: files of proc say 0, those of sysfs 4096, whatever they hold. */
async function readAtMost(handle: FileHandle, { path, maxBytes }: { path: string; maxBytes: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let total = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunks.length === 0 ? 4096 : 65_536));
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > maxBytes) throw new HostFileTooLargeError(path, maxBytes);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

async function unlessAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (err) {
    if (err instanceof Error && 'code' in err && ABSENT.has(String(err.code))) return undefined;
    throw err;
  }
}
