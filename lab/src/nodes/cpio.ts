/** One entry of a cpio archive. `path` is relative, e.g. `opt/kmm/agent/main.js`; parents must stand before children. */
export type CpioEntry =
  | { kind: 'folder'; path: string }
  | { kind: 'file'; path: string; content: Buffer; mode: number }
  | { kind: 'link'; path: string; target: string };

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000 } as const;

/**
 * A "newc" cpio archive, the format of the kernel's initramfs (Documentation/driver-api/early-userspace/buffer-format.rst).
 * All entries belong to root and carry no time: the same entries give the same bytes.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => {
    const content = contentOf(entry);
    const mode = TYPE[entry.kind] | (entry.kind === 'file' ? entry.mode : entry.kind === 'folder' ? 0o755 : 0o777);
    return record({ inode: index + 1, mode, path: entry.path, content });
  });
  return Buffer.concat([...parts, record({ inode: 0, mode: 0, path: TRAILER, content: Buffer.alloc(0) })]);
}

/** The folders that `paths` need, outermost first, each once. */
export function parentFolders(paths: readonly string[]): CpioEntry[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const names = path.split('/').slice(0, -1);
    for (const depth of names.keys()) folders.add(names.slice(0, depth + 1).join('/'));
  }
  return [...folders].map((path) => ({ kind: 'folder', path }));
}

function contentOf(entry: CpioEntry): Buffer {
  if (entry.kind === 'file') return entry.content;
  return entry.kind === 'link' ? Buffer.from(entry.target) : Buffer.alloc(0);
}

function record(entry: { inode: number; mode: number; path: string; content: Buffer }): Buffer {
  const name = Buffer.from(`${entry.path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), device of the node (2), name length, checksum
  const fields = [entry.inode, entry.mode, 0, 0, 1, 0, entry.content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(entry.content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
