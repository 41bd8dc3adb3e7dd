import { posix } from 'node:path';
import { ImageRefusedError } from './errors.ts';

const MAX_PATH_BYTES = 4096; // PATH_MAX

/**
 * The one form in which paths inside an image are compared: no leading or trailing slash, no `.`; '' is the image's root.
 * Throws ImageRefusedError for names that climb (`..`), hold a NUL, or are too long: no honest builder writes them.
 */
export function imagePath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0') || Buffer.byteLength(name) > MAX_PATH_BYTES) {
    throw new ImageRefusedError(`the image holds the path ${JSON.stringify(name.slice(0, 200))}`);
  }
  return parts.join('/');
}

/** Where a link at `path` leads, in the form of imagePath; as in a root directory, `..` stops at the image's root. */
export function linkTarget(path: string, target: string): string {
  return posix.resolve('/', posix.dirname(path), target).slice(1);
}

/** True when `path` is `root` or lies below it; everything lies below ''. */
export function isWithin(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`);
}
