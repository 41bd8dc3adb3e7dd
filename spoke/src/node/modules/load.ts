import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModuleConfig } from '@kmm-hub/api-types';
import type { HostRoot } from '../features/host-root.ts';
import type { ModuleFiles } from './extract.ts';
import { firmwareDefaults, installFirmware, removeFirmware, setFirmwareSearchPath } from './firmware.ts';
import type { Kmod } from './kmod.ts';
import { checkModuleName, loadCall, type ModprobeCall, unloadCall } from './kmod-arguments.ts';
import { KmodError, ModuleAlreadyLoadedError, ModuleNotLoadedError, modprobeError } from './kmod-errors.ts';
import { kernelWordsAbout } from './kmod-kernel-log.ts';
import { hostModuleTree, layOutModuleTree, withoutOrder } from './kmod-tree.ts';
import { isBuiltIn, moduleNames, normaliseModuleName, readLoadedModules } from './loaded-modules.ts';

export type LoadRequest = {
  config: ModuleConfig;
  files: ModuleFiles;
  /** `uname -r`. */
  release: string;
  host: HostRoot;
  kmod: Kmod;
  /** Where firmware goes on the node; default `firmwareDefaults.hostPath`. */
  firmwareHostPath?: string;
  /** Called by loadModule when only modprobe is left to do, and the kernel has no module of the name. */
  beforeModprobe?: () => Promise<void>;
  signal: AbortSignal;
};

/** `removed`: in-tree modules taken out of the kernel; `builtIn`: those that cannot be, for the log. */
export type LoadResult = { removed: string[]; builtIn: string[] };

/**
 * Loads a Module in upstream's order: firmware path, in-tree modules out, firmware in, modprobe; then reads back. Arguments
 * are checked before anything changes.
 * @throws the errors of kmod-errors.ts, with the kernel's words where it logged some
 */
export async function loadModule(request: LoadRequest): Promise<LoadResult> {
  const { config, files, release, host, kmod, signal } = request;
  const call = loadCall(config.modprobe);
  const inTree = inTreeNames(config).map(checkModuleName);
  const tree = await layOutModuleTree({ files, modprobe: config.modprobe, release, host, kmod }, signal);
  const firmware = firmwareOf(request);
  if (firmware !== undefined) await setFirmwareSearchPath(firmware);
  const result = await removeInTree(inTree, request);
  if (firmware !== undefined) await installFirmware(firmware);
  await requireAbsent(config, host);
  await request.beforeModprobe?.();
  await withKernelWords(call, host, () => kmod.load(call, tree, signal));
  await readBack(config, host);
  return result;
}

/**
 * Unloads a Module, and then takes its firmware off the node. Safe to repeat: what is not loaded is not touched.
 * @throws ModuleInUseError and the other errors of kmod-errors.ts
 */
export async function unloadModule(request: LoadRequest): Promise<void> {
  const { config, files, release, host, kmod, signal } = request;
  const call = unloadCall(config.modprobe);
  const tree = await layOutModuleTree({ files, modprobe: config.modprobe, release, host, kmod }, signal);
  await withKernelWords(call, host, () => kmod.unload(call, withoutOrder(tree), signal));
  const firmware = firmwareOf(request);
  if (firmware !== undefined) await removeFirmware(firmware);
}

function firmwareOf({ files, host, firmwareHostPath = firmwareDefaults.hostPath }: LoadRequest) {
  const { firmwareFolder: folder } = files;
  return folder === undefined ? undefined : { host, folder, hostPath: firmwareHostPath };
}

function inTreeNames({ inTreeModulesToRemove = [], inTreeModuleToRemove }: ModuleConfig): string[] {
  return [...inTreeModulesToRemove, ...(inTreeModuleToRemove ? [inTreeModuleToRemove] : [])];
}

/** By what the kernel has, dashes or underscores; upstream goes by files of any kernel and misses one of the spellings. */
async function removeInTree(names: readonly string[], { host, kmod, release, files, signal }: LoadRequest) {
  const loaded = await readLoadedModules(host);
  const removed = names.filter((name) => loaded.has(normaliseModuleName(name)));
  const others = names.filter((name) => !removed.includes(name));
  const builtIn = await Promise.all(others.map(async (name) => ((await isBuiltIn(host, name, release)) ? [name] : [])));
  if (removed.length > 0) {
    const noConfig = join(files.folder, 'config.none');
    await mkdir(noConfig, { recursive: true });
    const call = { options: [], names: removed, parameters: [] };
    await withKernelWords(call, host, () => kmod.unload(call, hostModuleTree(host, release, noConfig), signal));
  }
  return { removed, builtIn: builtIn.flat() };
}

/** modprobe would refuse it as well; but whoever sees it after an intent of ours would take it for ours. */
async function requireAbsent(config: ModuleConfig, host: HostRoot): Promise<void> {
  const [own] = moduleNames(config); // what it depends on may well be there
  if (own === undefined || !(await readLoadedModules(host)).has(normaliseModuleName(own))) return;
  throw new ModuleAlreadyLoadedError(`the kernel has a module ${own} that is not of this Module`);
}

/** Adds to modprobe's error what the kernel logged meanwhile: "Invalid argument" alone helps nobody. */
async function withKernelWords({ names }: ModprobeCall, host: HostRoot, run: () => Promise<void>): Promise<void> {
  const startUs = Number(process.hrtime.bigint() / 1000n); // since boot
  try {
    await run();
  } catch (err) {
    if (!(err instanceof KmodError)) throw err;
    throw modprobeError(err.message, await kernelWordsAbout(host, names, startUs), { cause: err });
  }
}

async function readBack(config: ModuleConfig, host: HostRoot): Promise<void> {
  const loaded = await readLoadedModules(host);
  const missing = moduleNames(config).filter((name) => loaded.get(normaliseModuleName(name))?.state !== 'Live');
  if (missing.length > 0) throw new ModuleNotLoadedError(missing);
}
