import { posix } from 'node:path';
import type { ContentStore } from './content-store.ts';
import { defaults } from './defaults.ts';
import { ImageRefusedError } from './errors.ts';
import { imagePath, isWithin } from './image-path.ts';
import { type ImageEntry, ImageTree } from './image-tree.ts';
import { type Budget, type Entry, layerEntries } from './layer-entries.ts';
import type { PulledManifest } from './manifests.ts';
import type { RegistryClient } from './registry-client.ts';

/** Sizes in bytes; see `defaults.extract`. */
export type ExtractLimits = { [name in keyof typeof defaults.extract]: number };

export type ExtractRequest = {
  client: Pick<RegistryClient, 'openBlob'>;
  image: Pick<PulledManifest, 'repository' | 'manifest'>;
  /** Files or folders of the image, e.g. `/opt/lib/modules/6.1.0-53-amd64`; links on the way are followed inside the image. */
  roots: readonly string[];
  /** Narrows the files (not the folders and links) below the roots; gets a path as the roots name it, without leading slash. */
  match?: ((path: string) => boolean) | undefined;
  limits?: Partial<ExtractLimits> | undefined;
  signal: AbortSignal;
};

/** `asked` and `real` differ when a link led there, e.g. `lib/modules/x` and `usr/lib/modules/x`. */
export type Root = { asked: string; real: string };

/** The name that the roots give to a file below `root.real`. */
export function askedPath(root: Root, realPath: string): string {
  return posix.join(root.asked, posix.relative(`/${root.real}`, `/${realPath}`));
}

const MAX_PASSES = 8;

/**
 * Walks the layers from the lowest, keeping what lies below the roots. What a link or hard link turns out to need is known
 * only at the end: then the image is walked again, knowing it (rare, and never for images as the hub builds them).
 * Throws ImageRefusedError and the client's errors.
 */
export async function walkImage(
  request: ExtractRequest,
  store: ContentStore,
): Promise<{ tree: ImageTree; roots: Root[] }> {
  let roots = request.roots.map((root) => ({ asked: imagePath(root), real: imagePath(root) }));
  const linked = new Set<string>();
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const known = linked.size;
    const walk = new Walk({ ...request, store, roots, linked });
    await walk.run();
    const resolved = roots.map(({ asked, real }) => ({ asked, real: walk.tree.resolve(real) ?? real }));
    if (linked.size === known && resolved.every(({ real }, at) => real === roots[at]?.real)) {
      return { tree: walk.tree, roots };
    }
    roots = resolved;
    await store.clear();
  }
  throw new ImageRefusedError('the links of the image do not end');
}

type WalkOptions = Omit<ExtractRequest, 'roots'> & { store: ContentStore; roots: Root[]; linked: Set<string> };

class Walk {
  readonly tree = new ImageTree();
  readonly #options: WalkOptions;
  readonly #limits: ExtractLimits;
  readonly #budget: Budget;
  /** A larger set at the end of the walk means that another one follows. */
  readonly #linkedBefore: number;
  #files = 0;
  #bytes = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#linkedBefore = options.linked.size;
    this.#limits = { ...defaults.extract, ...options.limits };
    this.#budget = { bytesLeft: this.#limits.maxImageBytes, entriesLeft: this.#limits.maxEntries };
  }

  async run(): Promise<void> {
    const { client, image, signal } = this.#options;
    for (const [index, layer] of image.manifest.layers.entries()) {
      const blob = await client.openBlob(image.repository, layer, signal);
      for await (const entry of layerEntries(blob, layer, this.#budget)) {
        await this.#apply(entry, index);
        entry.resume(); // what was not read
      }
    }
  }

  /** Whiteouts: OCI image spec, layer.md. */
  async #apply(entry: Entry, layer: number): Promise<void> {
    const path = imagePath(entry.header.name);
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    const folder = path.slice(0, Math.max(slash, 0));
    if (name === '.wh..wh..opq') return this.tree.emptyLower(folder, layer);
    if (name.startsWith('.wh.')) return this.tree.removeLower(imagePath(`${folder}/${name.slice(4)}`), layer);
    if (!this.#concerns(path)) return;
    const made = await this.#read(path, entry);
    if (made === undefined) return this.tree.remove(path); // what is not kept still replaces what lower layers had there
    this.#files += 1;
    if (this.#files > this.#limits.maxFiles)
      throw new ImageRefusedError('the image has too many files in the selection');
    this.tree.put(path, made, layer);
  }

  /** The roots, what is below them, and their parents, which may be links. */
  #concerns(path: string): boolean {
    if (path === '') return false;
    return (
      this.#isBelowRoot(path) ||
      this.#options.linked.has(path) ||
      this.#options.roots.some(({ real }) => isWithin(real, path))
    );
  }

  #isBelowRoot(path: string): boolean {
    return this.#options.roots.some(({ real }) => isWithin(path, real));
  }

  #isWanted(path: string): boolean {
    if (this.#options.linked.has(path)) return true;
    const { roots, match } = this.#options;
    return roots.some((root) => isWithin(path, root.real) && match?.(askedPath(root, path)) !== false);
  }

  async #read(path: string, entry: Entry): Promise<ImageEntry | undefined> {
    const { type, size = 0, linkname, mode = 0o644, uid = 0, gid = 0 } = entry.header;
    const owner = { mode: mode & 0o7777, uid, gid };
    switch (type) {
      case 'directory':
        return { ...owner, type };
      case 'symlink':
        return { ...owner, type, target: linkname ?? '' };
      case 'link':
        return this.#isWanted(path) ? this.#hardLink(path, imagePath(linkname ?? '')) : undefined;
      case 'file':
      case 'contiguous-file': {
        if (!this.#isWanted(path)) return undefined;
        this.#count(path, size);
        return { ...owner, type: 'file', content: await this.#options.store.save(entry, size) };
      }
      default:
        if (!this.#isBelowRoot(path)) return undefined;
        throw new ImageRefusedError(`the image holds a ${type} at ${path}`);
    }
  }

  /** A hard link names a file that came before it, in this layer or below; it may lie outside of the selection. */
  #hardLink(path: string, target: string): ImageEntry | undefined {
    const entry = this.tree.get(target);
    if (entry !== undefined && entry.type !== 'directory') return entry;
    const { linked } = this.#options;
    if (this.#isWanted(target) && linked.size === this.#linkedBefore) {
      throw new ImageRefusedError(`${path} is a hard link to ${target}, which is not there`);
    }
    linked.add(target); // the next pass keeps it, and finds what now follows from it
    return undefined;
  }

  #count(path: string, sizeBytes: number): void {
    this.#bytes += sizeBytes;
    if (sizeBytes > this.#limits.maxFileBytes || this.#bytes > this.#limits.maxTotalBytes) {
      throw new ImageRefusedError(`the image holds more bytes than allowed, at ${path}`);
    }
  }
}
