import { chmod, copyFile, link, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { memoryStore, spoolStore } from './content-store.ts';
import { defaults } from './defaults.ts';
import { isWithin, linkTarget } from './image-path.ts';
import type { Content, ImageEntry, ImageTree } from './image-tree.ts';
import { askedPath, type ExtractRequest, type Root, walkImage } from './image-walk.ts';

/** `path` as the roots name it, `realPath` where the file lies in the image; both without leading slash. */
export type ExtractedFile = {
  path: string;
  realPath: string;
  mode: number;
  uid: number;
  gid: number;
  content: Buffer;
};

/** `target` as the link holds it. */
export type ExtractedLink = { path: string; realPath: string; target: string };

/** Bound of extractToMemory, in bytes: a signer's few modules, not a whole image. */
const MEMORY_LIMITS = { maxFileBytes: 256 * 1024 * 1024, maxTotalBytes: 512 * 1024 * 1024 };

/**
 * The selected files of an image and the links among them, in memory; nothing of the image is run or written anywhere.
 * A root that the image does not hold gives nothing. Throws ImageRefusedError (a limit, a broken or hostile archive),
 * DigestMismatchError and the client's other errors.
 */
export async function extractToMemory(
  request: ExtractRequest,
): Promise<{ files: ExtractedFile[]; links: ExtractedLink[] }> {
  const limits = { ...defaults.extract, ...MEMORY_LIMITS, ...request.limits };
  const { tree, roots } = await walkImage({ ...request, limits }, memoryStore());
  const files: ExtractedFile[] = [];
  const links: ExtractedLink[] = [];
  for (const { path, realPath, entry } of selected(tree, roots)) {
    if (entry.type === 'symlink') links.push({ path, realPath, target: entry.target });
    if (entry.type !== 'file' || !('buffer' in entry.content)) continue;
    const { mode, uid, gid, content } = entry;
    files.push({ path, realPath, mode, uid, gid, content: content.buffer });
  }
  return { files, links };
}

/** `outsideLinks` lead out of the selection, for example to the node's own modules, and were not made. */
export type ExtractedFolder = { files: number; sizeBytes: number; outsideLinks: ExtractedLink[] };

/**
 * Puts the selected part of an image below `destination` under the paths the roots name (`opt/lib/modules/…`). The folder
 * must not exist; it appears whole or, after an error, not at all (work goes on in `<destination>.partial`). Files belong
 * to the caller, who alone may write them, without set-id bits; no link leads out of it. Errors as in extractToMemory, and
 * those of the file system.
 */
export async function extractToDirectory(request: ExtractRequest & { destination: string }): Promise<ExtractedFolder> {
  const partial = `${request.destination}.partial`;
  await rm(partial, { recursive: true, force: true }); // of a process that was killed
  try {
    const { tree, roots } = await walkImage(request, spoolStore(join(partial, 'content')));
    const made = await makeFolder(join(partial, 'tree'), tree, roots);
    await mkdir(dirname(request.destination), { recursive: true });
    await rename(join(partial, 'tree'), request.destination);
    return made;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

type Selected = { path: string; realPath: string; entry: ImageEntry };

function* selected(tree: ImageTree, roots: readonly Root[]): Generator<Selected> {
  const seen = new Set<string>();
  for (const root of roots) {
    for (const [realPath, entry] of tree.entries(root.real)) {
      const path = askedPath(root, realPath);
      if (!seen.has(path)) yield { path, realPath, entry };
      seen.add(path); // roots may overlap
    }
  }
}

/** Links come last: until then every folder on the way of a write is one that we made ourselves. */
async function makeFolder(folder: string, tree: ImageTree, roots: readonly Root[]): Promise<ExtractedFolder> {
  const result: ExtractedFolder = { files: 0, sizeBytes: 0, outsideLinks: [] };
  const links: ExtractedLink[] = [];
  const placed = new Set<string>();
  await mkdir(folder, { recursive: true });
  for (const { path, realPath, entry } of selected(tree, roots)) {
    const place = join(folder, path);
    if (entry.type === 'symlink') links.push({ path, realPath, target: entry.target });
    if (entry.type === 'directory') await mkdir(place, { recursive: true });
    if (entry.type !== 'file') continue;
    await mkdir(dirname(place), { recursive: true });
    await placeFile(entry.content, place, placed);
    await chmod(place, entry.mode & 0o755);
    result.files += 1;
    result.sizeBytes += entry.content.sizeBytes;
  }
  for (const made of links) {
    const target = insideTarget(made, roots);
    if (target === undefined) result.outsideLinks.push(made);
    else await makeLink(join(folder, made.path), target);
  }
  return result;
}

/** The first name takes the spooled file, further hard links get a copy: a node must not change two files at once. */
async function placeFile(content: Content, place: string, placed: Set<string>): Promise<void> {
  if (!('file' in content)) throw new TypeError('only spooled content can be placed in a folder');
  if (placed.has(content.file)) return copyFile(content.file, place);
  await link(content.file, place);
  placed.add(content.file);
}

async function makeLink(place: string, target: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  await symlink(target, place);
}

/**
 * Where a link leads inside of the extracted folder, relative to the link; undefined when that is outside. Written anew
 * rather than copied: all `..` come first, where they climb real folders only, so no second link can bend the way.
 */
function insideTarget({ path, realPath, target }: ExtractedLink, roots: readonly Root[]): string | undefined {
  const real = linkTarget(realPath, target);
  const root = roots.find((candidate) => isWithin(real, candidate.real));
  if (root === undefined) return undefined;
  return posix.relative(posix.dirname(`/${path}`), `/${askedPath(root, real)}`) || '.';
}
