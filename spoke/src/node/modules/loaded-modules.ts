import type { ModuleConfig } from '@kmm-hub/api-types';
import type { HostRoot } from '../features/host-root.ts';

/** One line of /proc/modules. */
export type LoadedModule = {
  /** As the kernel spells it, with underscores. */
  name: string;
  sizeBytes: number;
  /** How many hold it; it cannot be unloaded before this is 0. */
  references: number;
  usedBy: string[];
  state: 'Live' | 'Loading' | 'Unloading';
};

/** The kernel takes `-` and `_` in names for the same; its own lists have `_`. `snd-hda_intel` → `snd_hda_intel` */
export function normaliseModuleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** Normalised name → module. Empty on a kernel without loadable modules. */
export async function readLoadedModules(host: HostRoot): Promise<Map<string, LoadedModule>> {
  const lines = ((await host.readIfPresent('proc/modules')) ?? '').split('\n').filter(Boolean);
  return new Map(lines.map(parseLine).map((module) => [module.name, module]));
}

/** "nf_nat 57344 2 nft_nat,xt_nat, Live 0x0000000000000000 (OE)" */
function parseLine(line: string): LoadedModule {
  const [name = '', size, references, usedBy = '-', state = ''] = line.split(' ');
  return {
    name: normaliseModuleName(name),
    sizeBytes: Number(size),
    references: Number(references) || 0, // `-` on kernels without unloading
    usedBy: usedBy.split(',').filter((user) => user !== '' && user !== '-' && user !== '[permanent]'),
    state: state === 'Loading' || state === 'Unloading' ? state : 'Live',
  };
}

/** Part of the kernel image itself: it can be neither unloaded nor replaced. */
export async function isBuiltIn(host: HostRoot, name: string, release: string): Promise<boolean> {
  const normalised = normaliseModuleName(name);
  const builtin = (await host.readIfPresent(`lib/modules/${release}/modules.builtin`)) ?? '';
  const names = builtin.split('\n').map(
    (path) =>
      path
        .split('/')
        .at(-1)
        ?.replace(/\.ko.*$/, '') ?? '',
  );
  if (names.some((found) => normaliseModuleName(found) === normalised)) return true;
  // A built-in module has a folder for its parameters, but no state.
  const folder = `sys/module/${normalised}`;
  return (await host.exists(folder)) && !(await host.exists(`${folder}/initstate`));
}

/** The modules that a configuration loads by name, its own first; none with raw arguments, which may hold aliases. */
export function moduleNames({ modprobe }: Pick<ModuleConfig, 'modprobe'>): string[] {
  const { rawArgs, moduleName, modulesLoadingOrder = [] } = modprobe;
  if (rawArgs?.load !== undefined) return [];
  return [...new Set([...(moduleName ? [moduleName] : []), ...modulesLoadingOrder])];
}
