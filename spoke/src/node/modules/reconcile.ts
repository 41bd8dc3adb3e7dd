import { isDeepStrictEqual } from 'node:util';
import {
  explain,
  HubError,
  type ModuleConfig,
  type NodeModuleSpec,
  type NodeModuleStatus,
  type NodeModulesConfig,
  nodeModulesConfig,
} from '@kmm-hub/api-types';
import { backoffMs, type KubeClient, NotFoundError, type ReconcileResult } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { HostRoot } from '../features/host-root.ts';
import type { ModuleFiles } from './extract.ts';
import type { Intents } from './intents.ts';
import { removeUnwantedImages } from './kept-images.ts';
import type { Kmod } from './kmod.ts';
import { ModprobeTimeoutError } from './kmod-errors.ts';
import { loadModule, unloadModule } from './load.ts';
import { readLoadedModules } from './loaded-modules.ts';
import { nodeFailure } from './node-failure.ts';
import { type ModuleAction, type ModuleKey, planModules } from './plan.ts';
import type { PullRequest } from './pull.ts';
import { type Outcome, statusAfter } from './status.ts';

export type NodeModulesDeps = {
  client: KubeClient;
  host: HostRoot;
  kmod: Kmod;
  intents: Intents;
  nodeName: string;
  /** `uname -r` and /proc/sys/kernel/random/boot_id of this boot. */
  release: string;
  bootId: string;
  /** Brings the files of a module's image to the node's disk. */
  pull: (request: PullRequest, signal: AbortSignal) => Promise<ModuleFiles>;
  /** Where `pull` brings them. */
  imagesFolder: string;
  /** Module → when it may be tried again, after failures with this configuration. */
  attempts: Map<string, Attempt>;
  log: Logger;
};

export type Attempt = { failures: number; dueAt: number; config: ModuleConfig | undefined };

const RETRY = { firstMs: 2_000, maxMs: 300_000 };

/** Brings the kernel's modules to where the NodeModulesConfig wants them, and says in its status how that went. */
export async function reconcileNodeModules(
  deps: NodeModulesDeps,
  nmc: NodeModulesConfig | undefined,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { spec, status: before } = entriesOf(nmc);
  const { actions, held } = planModules({
    spec,
    status: before,
    intents: await deps.intents.list(),
    bootId: deps.bootId,
    release: deps.release,
    loaded: new Set((await readLoadedModules(deps.host)).keys()),
  });
  for (const module of held) deps.log.debug({ ...module, release: deps.release }, 'waits for another kernel');
  let status = settled(deps, { status: before, busy: [...actions.map(({ module }) => module), ...held] });
  await writeStatus(deps, { before, status }, signal);
  const blocked = new Set<string>(); // what failed to unload, or waits to be tried again, must not be loaded over
  for (const action of actions) {
    const key = keyText(action.module);
    if (!isDue(deps, action)) blocked.add(key);
    if (blocked.has(key)) continue;
    const outcome = await carryOut(deps, action, signal);
    if (outcome?.kind === 'failed') blocked.add(key);
    status = outcome === undefined ? status : statusAfter(status, outcome);
    await writeStatus(deps, { before, status }, signal);
  }
  await tidyUp(deps, { spec, status });
  return nextLook(deps);
}

/** Modules that need nothing any more: their failures are forgotten, here and in the status. */
function settled(
  { attempts }: NodeModulesDeps,
  { status, busy }: { status: NodeModuleStatus[]; busy: ModuleKey[] },
): NodeModuleStatus[] {
  const keys = new Set(busy.map(keyText));
  for (const key of attempts.keys()) if (!keys.has(key)) attempts.delete(key);
  return status.map((entry) => {
    if (keys.has(keyText(entry)) || entry.error === undefined) return entry;
    const { error: _error, ...right } = entry;
    return right;
  });
}

/** A node whose NodeModulesConfig is gone wants nothing. */
function entriesOf(nmc: NodeModulesConfig | undefined) {
  return { spec: nmc?.spec?.modules ?? [], status: nmc?.status?.modules ?? [] };
}

function isDue({ attempts }: NodeModulesDeps, action: ModuleAction): boolean {
  const attempt = attempts.get(keyText(action.module));
  if (attempt === undefined || Date.now() >= attempt.dueAt) return true;
  return !isDeepStrictEqual(attempt.config, configOf(action)); // another configuration is another chance
}

/** `undefined`: an unload in front of a load succeeded, and the load's outcome is what counts. */
async function carryOut(
  deps: NodeModulesDeps,
  action: ModuleAction,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { log, attempts, nodeName } = deps;
  const { namespace, name } = action.module;
  const started = performance.now();
  try {
    const outcome = await act(deps, action, signal);
    attempts.delete(keyText(action.module));
    const durationMs = Math.round(performance.now() - started);
    log.info({ node: nodeName, module: `${namespace}/${name}`, action: action.action, durationMs }, 'module settled');
    return outcome;
  } catch (caught) {
    const err = nodeFailure(caught);
    if (signal.aborted || !(err instanceof HubError)) throw err;
    const failures = (attempts.get(keyText(action.module))?.failures ?? 0) + 1;
    const dueAt = Date.now() + backoffMs(failures, RETRY);
    attempts.set(keyText(action.module), { failures, dueAt, config: configOf(action) });
    log.warn({ err, node: nodeName, module: `${namespace}/${name}`, action: action.action, failures }, 'module failed');
    const nextAttempt = new Date(dueAt).toISOString();
    return { kind: 'failed', module: action.module, reason: err.code, message: explain(err), nextAttempt };
  }
}

async function act(deps: NodeModulesDeps, action: ModuleAction, signal: AbortSignal): Promise<Outcome | undefined> {
  const { pull, host, kmod, intents, release, bootId } = deps;
  if (action.action === 'forget') {
    await intents.remove(action.module);
    return { kind: 'gone', module: action.module };
  }
  if (action.action === 'unload') {
    const { module, config } = action;
    await unloadModule({ config, files: await pull({ module, config }, signal), release, host, kmod, signal });
    await intents.remove(module);
    return action.reason === 'Deselected' ? { kind: 'gone', module } : undefined;
  }
  const { module, resumes } = action;
  const { namespace, name, imageRepoSecret, config } = module;
  if (!resumes) {
    const files = await pull({ module, config }, signal);
    // Not sooner: what the kernel has under the name until then is somebody else's.
    const beforeModprobe = () =>
      intents.write({ namespace, name, ...(imageRepoSecret && { imageRepoSecret }), config, bootId });
    try {
      await loadModule({ config, files, release, host, kmod, beforeModprobe, signal });
    } catch (err) {
      // What is in the kernel under the name now is not ours. Only a modprobe that was left behind, after its time or
      // because the agent stops, may still end well.
      if (!signal.aborted && !(err instanceof ModprobeTimeoutError)) await intents.remove(module);
      throw err;
    }
  }
  return { kind: 'loaded', module, bootId };
}

async function writeStatus(
  { client, nodeName }: NodeModulesDeps,
  { before, status }: { before: NodeModuleStatus[]; status: NodeModuleStatus[] },
  signal: AbortSignal,
): Promise<void> {
  if (isDeepStrictEqual(before, status)) return;
  const patch = { status: { modules: status } };
  try {
    await client.patch(nodeModulesConfig, { ref: { name: nodeName }, patch, subresource: 'status' }, signal);
  } catch (err) {
    if (!(err instanceof NotFoundError)) throw err; // the object went with the last of its modules
  }
}

/** Images that cannot be removed stand in nobody's way: the next pass tries again. */
async function tidyUp(
  { imagesFolder, intents, nodeName, log }: NodeModulesDeps,
  entries: { spec: readonly NodeModuleSpec[]; status: readonly NodeModuleStatus[] },
): Promise<void> {
  try {
    const removed = await removeUnwantedImages(imagesFolder, { ...entries, intents: await intents.list() });
    if (removed.length > 0) log.info({ node: nodeName, removed }, 'unwanted images removed');
  } catch (caught) {
    const err = nodeFailure(caught);
    if (!(err instanceof HubError)) throw err;
    log.warn({ err, node: nodeName }, 'unwanted images not removed');
  }
}

function nextLook({ attempts }: NodeModulesDeps): ReconcileResult {
  if (attempts.size === 0) return undefined;
  const dueAt = Math.min(...[...attempts.values()].map((attempt) => attempt.dueAt));
  return { requeueAfterMs: Math.max(100, dueAt - Date.now()) };
}

function configOf(action: ModuleAction): ModuleConfig | undefined {
  if (action.action === 'forget') return undefined;
  return action.action === 'load' ? action.module.config : action.config;
}

const keyText = ({ namespace, name }: ModuleKey) => `${namespace}/${name}`;
