import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Modprobe } from '@kmm-hub/api-types';
import type { HostRoot } from '../features/host-root.ts';
import { type ModuleFiles, moduleFilesBelow } from './extract.ts';
import type { Kmod, ModuleTree } from './kmod.ts';
import { checkModuleName } from './kmod-arguments.ts';
import { normaliseModuleName } from './loaded-modules.ts';

/** A folder of configuration that is empty: modprobe's and depmod's own places are not read. */
const NO_CONFIG = 'config.none';

export type TreeRequest = {
  files: ModuleFiles;
  modprobe: Modprobe;
  /** `uname -r`; also the name of the folder in the tree, whatever the image calls it. */
  release: string;
  host: HostRoot;
  kmod: Kmod;
};

/**
 * A tree for modprobe in which the image's modules are `updates`, next to links to just those in-tree modules that they
 * need, with an index of our own: depmod over the node's thousands of modules would cost seconds, and the image's index
 * knows nothing of them. Laid out anew on each call, and seen whole or not at all.
 * @throws DepmodFailedError, ModprobeOptionRefusedError, MissingToolError
 */
export async function layOutModuleTree(request: TreeRequest, signal: AbortSignal): Promise<ModuleTree> {
  const { files, modprobe, release, host, kmod } = request;
  const root = join(files.folder, 'tree');
  const partial = `${root}.partial`;
  await rm(partial, { recursive: true, force: true });
  const modules = join(partial, 'lib/modules', release);
  await mkdir(modules, { recursive: true });
  await mkdir(join(partial, 'usr'));
  await symlink('../lib', join(partial, 'usr/lib')); // where kmod of a merged-usr system looks
  await mkdir(join(partial, NO_CONFIG));
  await mkdir(join(partial, 'config'));
  await writeFile(join(partial, 'config/order.conf'), softDependencies(modprobe));
  await symlink(files.modulesFolder, join(modules, 'updates')); // depmod prefers this folder

  const hostTree = { root: host.path, release, configFolder: join(partial, NO_CONFIG) };
  for (const path of await inTreeNeeds(request, hostTree, signal)) {
    const place = join(modules, 'in-tree', path);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(host.path, 'lib/modules', release, path), place);
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    const source = join('lib/modules', release, name);
    if (await host.exists(source)) await symlink(await host.locate(source), join(modules, name));
  }
  await kmod.index({ root: partial, release, configFolder: join(partial, NO_CONFIG) }, signal);
  await rm(root, { recursive: true, force: true });
  await rename(partial, root);
  return { root, release, configFolder: join(root, 'config') };
}

/** The node's own modules, without any configuration. @param emptyFolder must exist and stay empty */
export function hostModuleTree(host: HostRoot, release: string, emptyFolder: string): ModuleTree {
  return { root: host.path, release, configFolder: emptyFolder };
}

/** The same tree without the loading order: on unload the order is spelt out. */
export function withoutOrder(tree: ModuleTree): ModuleTree {
  return { ...tree, configFolder: join(tree.root, NO_CONFIG) };
}

/** Files of the node's modules, relative to its `lib/modules/<release>`, that the image's modules name as needed. */
async function inTreeNeeds({ files, kmod, release, host }: TreeRequest, hostTree: ModuleTree, signal: AbortSignal) {
  const images = await moduleFilesBelow(files.modulesFolder);
  const own = new Set(images.map((file) => normaliseModuleName(basename(file).replace(/\.ko.*$/, ''))));
  const depends = await kmod.fieldOf('depends', images, signal); // "raid6_pq,xor"
  const soft = await kmod.fieldOf('softdep', images, signal); // "pre: sha256 post: crc32c"
  const names = [...depends.flatMap((line) => line.split(',')), ...soft.flatMap((line) => line.split(/\s+/))];
  const needed = [...new Set(names)].filter(
    (name) => /^[A-Za-z0-9_][\w-]*$/.test(name) && !own.has(normaliseModuleName(name)),
  );
  if (needed.length === 0) return [];
  const base = join(host.path, 'lib/modules', release);
  const found = await kmod.filesOf(needed, hostTree, signal);
  return found.map((file) => relative(base, file)).filter((path) => !path.startsWith('..'));
}

/** modprobe.d(5): each module of the loading order needs the next one before it. */
function softDependencies({ modulesLoadingOrder = [] }: Modprobe): string {
  const names = modulesLoadingOrder.map(checkModuleName);
  return names
    .slice(0, -1)
    .map((name, at) => `softdep ${name} pre: ${names[at + 1]}\n`)
    .join('');
}
