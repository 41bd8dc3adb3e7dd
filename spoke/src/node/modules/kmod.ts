import { setTimeout as delay } from 'node:timers/promises';
import { MissingToolError } from '@kmm-hub/api-types';
import { execa } from 'execa';
import type { ModprobeCall } from './kmod-arguments.ts';
import { DepmodFailedError, ModprobeTimeoutError, modprobeError } from './kmod-errors.ts';

export const kmodDefaults = {
  /** A module's init may probe hardware for long. */
  timeoutMs: 120_000,
  /** A process that waits inside the kernel does not die of SIGKILL: after this long it is left behind. */
  killGraceMs: 3_000,
  maxOutputChars: 1_000_000,
};

/** Where modprobe looks: `<root>/lib/modules/<release>`, and a folder of configuration that replaces the system's own. */
export type ModuleTree = { root: string; release: string; configFolder: string };

export type Kmod = ReturnType<typeof createKmod>;

export type KmodOptions = {
  timeoutMs?: number;
  /** Where the tools are; default the system's folders. */
  path?: string;
};

/**
 * The agent's own kmod tools. They see no configuration but ours and no variable of our environment: an `install` line or
 * MODPROBE_OPTIONS would be a shell. Every call ends with its signal or after `timeoutMs`.
 */
export function createKmod({
  timeoutMs = kmodDefaults.timeoutMs,
  path = '/usr/sbin:/usr/bin:/sbin:/bin',
}: KmodOptions = {}) {
  const run = (tool: string, args: readonly string[], signal: AbortSignal) =>
    runTool([tool, ...args], { timeoutMs, path }, signal);

  return {
    /**
     * Loads as the call says.
     * @throws the errors of kmod-errors.ts, with modprobe's words
     */
    async load({ options, names, parameters }: ModprobeCall, tree: ModuleTree, signal: AbortSignal): Promise<void> {
      const many = names.length > 1 ? ['--all'] : [];
      const args = ['--verbose', ...many, ...inTree(tree), ...options, '--', ...names, ...parameters];
      await orThrow(await run('modprobe', args, signal));
    },

    /** Unloads the names in order, with what they alone needed. Does nothing for one that is not loaded. Errors as above. */
    async unload({ options, names }: ModprobeCall, tree: ModuleTree, signal: AbortSignal): Promise<void> {
      const args = ['--remove', '--verbose', ...inTree(tree), ...options, '--', ...names];
      await orThrow(await run('modprobe', args, signal));
    },

    /**
     * The files that loading these names would take, in order; a name may be an alias. Names that the tree does not
     * have, or that are built in, give none.
     */
    async filesOf(names: readonly string[], tree: ModuleTree, signal: AbortSignal): Promise<string[]> {
      const { stdout } = await run('modprobe', ['--all', '--show-depends', ...inTree(tree), '--', ...names], signal);
      const files = stdout.split('\n').flatMap((line) => /^insmod (.+?)\s*$/.exec(line)?.[1] ?? []);
      return [...new Set(files)];
    },

    /** What modules say about themselves: all values of a field, such as `depends`, over all files. */
    async fieldOf(field: string, files: readonly string[], signal: AbortSignal): Promise<string[]> {
      const { failed, stdout, stderr } = await run('modinfo', ['-F', field, '--', ...files], signal);
      if (failed) throw new DepmodFailedError(stderr);
      return stdout.split('\n').filter(Boolean);
    },

    /** Writes the index (modules.dep and others) of a tree. @throws DepmodFailedError */
    async index({ root, release, configFolder }: ModuleTree, signal: AbortSignal): Promise<void> {
      const { failed, stderr } = await run('depmod', ['-b', root, '-C', configFolder, release], signal);
      if (failed) throw new DepmodFailedError(stderr);
    },
  };
}

function inTree({ root, release, configFolder }: ModuleTree): string[] {
  return [`--dirname=${root}`, `--set-version=${release}`, `--config=${configFolder}`];
}

type ToolResult = { failed: boolean; stdout: string; stderr: string };

async function orThrow({ failed, stderr }: ToolResult): Promise<void> {
  if (failed) throw modprobeError(stderr);
}

/** @throws MissingToolError, ModprobeTimeoutError, the signal's reason */
async function runTool(
  [tool = '', ...args]: readonly string[],
  { timeoutMs, path }: Required<KmodOptions>,
  signal: AbortSignal,
): Promise<ToolResult> {
  signal.throwIfAborted();
  const { killGraceMs, maxOutputChars } = kmodDefaults;
  const child = execa(tool, args, {
    cancelSignal: signal,
    timeout: timeoutMs,
    forceKillAfterDelay: killGraceMs,
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH: path, LC_ALL: 'C' }, // C: its words are what errors are told apart by
    maxBuffer: maxOutputChars,
  });
  const result = await orLeftBehind(child, timeoutMs + 2 * killGraceMs, signal);
  if (result === undefined || result.timedOut) throw new ModprobeTimeoutError(tool, timeoutMs);
  signal.throwIfAborted();
  if (result.code === 'ENOENT') {
    throw new MissingToolError(tool, 'Install kmod on the node, or use the agent image, which has it.');
  }
  return { failed: result.failed, stdout: result.stdout, stderr: result.stderr };
}

/**
 * What the tool ends with, or undefined when it should long have been killed: one that waits inside the kernel does not
 * die. When aborted, the tool is left to its end.
 */
async function orLeftBehind<T>(ending: PromiseLike<T>, limitMs: number, signal: AbortSignal): Promise<T | undefined> {
  const ended = new AbortController();
  const limit = delay(limitMs, undefined, { signal: AbortSignal.any([signal, ended.signal]), ref: false });
  try {
    return await Promise.race([ending, limit]);
  } catch (err) {
    signal.throwIfAborted();
    throw err;
  } finally {
    ended.abort();
  }
}
