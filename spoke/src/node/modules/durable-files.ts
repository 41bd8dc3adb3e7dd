import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Resolves when content and name are on the disk, so that a power cut right after leaves the whole file; one before leaves
 * the old file or none. Its folder is made when it is missing; only the owner may read the file.
 */
export async function writeDurably(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.partial`;
  {
    await using handle = await open(partial, 'w', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  }
  await moveDurably(partial, file);
}

/** A rename that a power cut right after does not take back. Both are in folders of the same disk. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await sync(dirname(to));
}

/** Of a file its content, of a folder its entries (fsync(2)): the kernel may else keep them to itself for half a minute. */
export async function sync(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
