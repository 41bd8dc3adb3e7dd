import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Content } from './image-tree.ts';
import type { Entry } from './layer-entries.ts';

/** Takes the bytes of selected files while an image is walked. */
export interface ContentStore {
  save(entry: Entry, sizeBytes: number): Promise<Content>;
  /** Forgets everything: the image is walked once more. */
  clear(): Promise<void>;
}

/** Keeps files in memory: for the few small ones a signer needs. */
export function memoryStore(): ContentStore {
  return {
    async save(entry, sizeBytes) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      return { sizeBytes, buffer: Buffer.concat(chunks) };
    },
    async clear() {
      // Nothing outlives the tree that refers to it.
    },
  };
}

/** Keeps each file under a number in `folder`, which it creates: no name of the image touches the file system yet. */
export function spoolStore(folder: string): ContentStore {
  let count = 0;
  return {
    async save(entry, sizeBytes) {
      if (count === 0) await mkdir(folder, { recursive: true });
      count += 1;
      const file = join(folder, String(count));
      await pipeline(entry, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
      return { sizeBytes, file };
    },
    async clear() {
      await rm(folder, { recursive: true, force: true });
      count = 0;
    },
  };
}
