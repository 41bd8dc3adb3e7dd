import { ImageRefusedError } from './errors.ts';
import { linkTarget } from './image-path.ts';

/** Where the bytes of one file were put: in memory, or in a file of the spool folder. */
export type Content = { sizeBytes: number; buffer: Buffer } | { sizeBytes: number; file: string };

type Owner = { mode: number; uid: number; gid: number };
export type ImageEntry =
  | (Owner & { type: 'file'; content: Content })
  | (Owner & { type: 'directory' })
  | (Owner & { type: 'symlink'; target: string });

type Node = { entry: ImageEntry | undefined; layer: number; children: Map<string, Node> };

const MAX_LINKS = 40; // as Linux follows on one path (MAXSYMLINKS)

/**
 * The files of an image as its layers, applied from the lowest, leave them. Nothing is written anywhere: links are only
 * names here, so that no entry can be placed through one. Paths are in the form of imagePath.
 */
export class ImageTree {
  readonly #root: Node = { entry: undefined, layer: 0, children: new Map() };

  /**
   * A lower layer's file or link in the way of a directory gives way to it; one of the same layer is an attempt to write
   * through a link, and throws ImageRefusedError.
   */
  put(path: string, entry: ImageEntry, layer: number): void {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let parent = this.#root;
    for (const part of parts) parent = this.#enter(parent, part, layer);
    const old = parent.children.get(name);
    const keepsChildren = entry.type === 'directory' && old !== undefined && isDirectory(old);
    parent.children.set(name, { entry, layer, children: keepsChildren ? old.children : new Map() });
  }

  get(path: string): ImageEntry | undefined {
    return this.#find(path)?.entry;
  }

  /** `path` and all below it, whatever layer put it there. */
  remove(path: string): void {
    const slash = path.lastIndexOf('/');
    this.#find(path.slice(0, Math.max(slash, 0)))?.children.delete(path.slice(slash + 1));
  }

  /** A whiteout: `path` and all below it, as far as lower layers put it there. */
  removeLower(path: string, layer: number): void {
    const slash = path.lastIndexOf('/');
    const parent = this.#find(path.slice(0, Math.max(slash, 0)));
    const name = path.slice(slash + 1);
    const node = parent?.children.get(name);
    if (node !== undefined && pruneLower(node, layer)) parent?.children.delete(name);
  }

  /** An opaque whiteout: all below `path`, as far as lower layers put it there. */
  emptyLower(path: string, layer: number): void {
    const node = this.#find(path);
    if (node !== undefined) pruneLower(node, layer);
  }

  /** Follows links in every part of `path`, inside the image. Undefined for a loop. */
  resolve(path: string): string | undefined {
    let real = path;
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      const next = this.#followFirstLink(real);
      if (next === real) return real;
      real = next;
    }
    return undefined;
  }

  /** Every entry at and below `path`, parents before children, siblings by name. */
  *entries(path: string): Generator<[string, ImageEntry]> {
    const node = this.#find(path);
    if (node !== undefined) yield* walk(path, node);
  }

  #enter(parent: Node, name: string, layer: number): Node {
    const known = parent.children.get(name);
    if (known !== undefined && isDirectory(known)) return known;
    if (known?.layer === layer) throw new ImageRefusedError(`a layer writes through its own link or file ${name}`);
    const created: Node = { entry: undefined, layer, children: new Map() };
    parent.children.set(name, created);
    return created;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of path === '' ? [] : path.split('/')) node = node?.children.get(part);
    return node;
  }

  #followFirstLink(path: string): string {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join('/');
      const entry = this.get(prefix);
      if (entry?.type !== 'symlink') continue;
      return [linkTarget(prefix, entry.target), ...parts.slice(depth)].filter(Boolean).join('/');
    }
    return path;
  }
}

function isDirectory(node: Node): boolean {
  return node.entry === undefined || node.entry.type === 'directory';
}

/** Takes what lower layers put below `node` away; true when nothing is left of the node itself either. */
function pruneLower(node: Node, layer: number): boolean {
  for (const [name, child] of node.children) {
    if (pruneLower(child, layer)) node.children.delete(name);
  }
  return node.layer < layer && node.children.size === 0;
}

function* walk(path: string, node: Node): Generator<[string, ImageEntry]> {
  if (node.entry !== undefined) yield [path, node.entry];
  for (const name of [...node.children.keys()].sort()) {
    const child = node.children.get(name);
    if (child !== undefined) yield* walk(path === '' ? name : `${path}/${name}`, child);
  }
}
