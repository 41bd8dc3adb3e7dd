import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Answers with `target` (a file or a folder of the cache) and makes it first when it is not there. `make` writes to a
 * temporary place beside it, which then gets the final name: an entry is whole or absent, also after kill -9. Two runs may
 * make the same entry at once; the one that ends first wins and the other's is thrown away.
 */
export async function cachedEntry(target: string, make: (temporary: string) => Promise<void>): Promise<string> {
  if (await exists(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  await removeAbandoned(target);
  const temporary = `${target}.new-${randomBytes(6).toString('hex')}`;
  try {
    await make(temporary);
    await rename(temporary, target);
  } catch (err) {
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(target))) throw err; // a folder made by another run refuses the rename: theirs is as good
  }
  return target;
}

/** Whether a path can be reached; any reason against it reads as no. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What runs that were killed left behind. Younger ones may still be at work. */
async function removeAbandoned(target: string): Promise<void> {
  const folder = dirname(target);
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${basename(target)}.new-`));
  for (const path of names.map((name) => join(folder, name))) {
    const changed = await stat(path).catch(() => undefined); // its maker may have ended just now
    const ageMs = changed === undefined ? 0 : Date.now() - changed.mtimeMs;
    if (ageMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
