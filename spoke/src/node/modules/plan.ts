import { isDeepStrictEqual } from 'node:util';
import type { ModuleConfig, NodeModuleSpec, NodeModuleStatus } from '@kmm-hub/api-types';
import { moduleNames, normaliseModuleName } from './loaded-modules.ts';

/** Which Module an entry of a NodeModulesConfig belongs to. */
export type ModuleKey = { namespace: string; name: string };

/** A module as it was loaded: what it takes to pull its image once more, for the unload. */
export type LoadedModule = ModuleKey & Pick<NodeModuleSpec, 'imageRepoSecret'>;

/** On the node's disk: written before a load, removed after the unload. Says what a process that died was doing. */
export type LoadIntent = LoadedModule & { config: ModuleConfig; bootId: string };

export type ModulePlanInput = {
  spec: readonly NodeModuleSpec[];
  status: readonly NodeModuleStatus[];
  intents: readonly LoadIntent[];
  /** Of this boot: /proc/sys/kernel/random/boot_id. */
  bootId: string;
  /** Of the running kernel: `uname -r`. */
  release: string;
  /** Normalised names of the modules that the kernel has, as in /proc/modules. */
  loaded: ReadonlySet<string>;
};

export type LoadReason = 'New' | 'Rebooted' | 'KernelChanged' | 'ConfigChanged' | 'Interrupted' | 'Vanished';

/**
 * `load` with `resumes`: an earlier process loaded it and died before it could say so; read back and report, do not load.
 * `forget`: nothing of it is in the kernel; drop the status entry and the intent.
 */
export type ModuleAction =
  | { action: 'load'; module: NodeModuleSpec; reason: LoadReason; resumes: boolean }
  | { action: 'unload'; module: LoadedModule; config: ModuleConfig; reason: 'ConfigChanged' | 'Deselected' }
  | { action: 'forget'; module: ModuleKey };

/** Done in order. `held` waits for another kernel than the one that runs. Both empty: the node is as wanted. */
export type ModulePlan = { actions: ModuleAction[]; held: ModuleKey[] };

/** What the kernel has of a Module in this boot. */
type Current = { module: LoadedModule; config: ModuleConfig; live: boolean; recorded: boolean };

/**
 * What to do on a node, by upstream's table (its NMC reconciler): another boot or another kernel loads again, another
 * configuration under the same kernel unloads first, an entry without spec is unloaded, or forgotten after a reboot.
 * Beyond upstream: the intent settles what a process that died had done, a module that left the kernel is loaded again,
 * and a spec for another kernel than the running one waits instead of failing. Pure: no clock, no I/O, no log.
 */
export function planModules(input: ModulePlanInput): ModulePlan {
  const specs = new Map(input.spec.map((entry) => [keyText(entry), entry]));
  const plan: ModulePlan = { actions: [], held: [] };
  for (const module of orphans(input, specs)) {
    const current = currentOf(module, input);
    if (current?.live) plan.actions.push(unload(current, 'Deselected'));
    else plan.actions.push({ action: 'forget', module });
  }
  // What goes makes room for what comes: names and hardware may be shared.
  plan.actions.sort((a, b) => Number(a.action === 'unload') - Number(b.action === 'unload'));
  for (const module of specs.values()) {
    if (isForKernel(module.config, input.release)) plan.actions.push(...actionsFor(module, input));
    else plan.held.push(keyOf(module));
  }
  return plan;
}

function actionsFor(module: NodeModuleSpec, input: ModulePlanInput): ModuleAction[] {
  const current = currentOf(module, input);
  const load = (reason: LoadReason, resumes = false): ModuleAction => ({ action: 'load', module, reason, resumes });
  if (current === undefined) return [load(reasonWithoutCurrent(module, input))];

  const { config, live, recorded } = current;
  if (isDeepStrictEqual(config, module.config)) {
    if (live) return recorded ? [] : [load('Interrupted', moduleNames(config).length > 0)];
    return [load(recorded ? 'Vanished' : 'Interrupted')];
  }
  if (!live) return [load('ConfigChanged')];
  if (!isForKernel(config, input.release)) return [load('KernelChanged')];
  return [unload(current, 'ConfigChanged'), load('ConfigChanged')];
}

function unload({ module, config }: Current, reason: 'ConfigChanged' | 'Deselected'): ModuleAction {
  return { action: 'unload', module, config, reason };
}

function reasonWithoutCurrent(module: NodeModuleSpec, { status, bootId, release }: ModulePlanInput): LoadReason {
  const before = status.find((entry) => keyText(entry) === keyText(module));
  if (before?.config === undefined || before.bootId === bootId) return 'New';
  return isForKernel(before.config, release) ? 'Rebooted' : 'KernelChanged';
}

/** The intent knows more than the status, which may be older. Both count in their own boot only. */
function currentOf(key: ModuleKey, { status, intents, bootId, loaded }: ModulePlanInput): Current | undefined {
  const ofThisBoot = (entry: ModuleKey & { bootId?: string }) =>
    keyText(entry) === keyText(key) && entry.bootId === bootId;
  const reported = status.find(ofThisBoot);
  const source = intents.find(ofThisBoot) ?? reported;
  const config = source?.config;
  if (source === undefined || config === undefined) return undefined;
  const { imageRepoSecret } = source;
  const module = { ...keyOf(key), ...(imageRepoSecret && { imageRepoSecret }) };
  // With raw arguments there is no name to look for: it counts as loaded.
  const live = moduleNames(config).every((name) => loaded.has(normaliseModuleName(name)));
  return { module, config, live, recorded: isDeepStrictEqual(reported?.config, config) };
}

function orphans({ status, intents }: ModulePlanInput, specs: ReadonlyMap<string, unknown>): ModuleKey[] {
  const known = new Map([...status, ...intents].map((entry) => [keyText(entry), keyOf(entry)]));
  return [...known].filter(([key]) => !specs.has(key)).map(([, module]) => module);
}

/** Upstream's NodeModulesConfigs hold the kernel without one trailing `+`, ours as the node says it (W34): both are meant. */
export function isForKernel({ kernelVersion }: Pick<ModuleConfig, 'kernelVersion'>, release: string): boolean {
  return trimPlus(kernelVersion) === trimPlus(release);
}

/** `6.1.0+` → `6.1.0`; one only. */
export function trimPlus(release: string): string {
  return release.replace(/\+$/, '');
}

const keyText = ({ namespace, name }: ModuleKey) => `${namespace}/${name}`;
const keyOf = ({ namespace, name }: ModuleKey): ModuleKey => ({ namespace, name });
