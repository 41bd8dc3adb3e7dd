import { basename } from 'node:path';
import { MissingToolError } from '@kmm-hub/api-types';
import { ExecaError, execa } from 'execa';
import { childEnvironment } from './config.ts';
import { CommandFailedError } from './errors.ts';

export type CommandOptions = {
  /** Written to stdin. */
  input?: string;
  /** Beside the short environment every program of the lab gets. */
  env?: Record<string, string>;
  cwd?: string;
  /** Default 60,000. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
};

const defaultTimeoutMs = 60_000;

/**
 * Runs a program to its end and gives what it wrote to stdout, without the last line feed.
 * @throws CommandFailedError with its stderr when it fails or takes too long, MissingToolError when it is not there.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { input, env, cwd, timeoutMs = defaultTimeoutMs, signal } = options;
  try {
    const { stdout } = await execa(command, args, {
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      env: { ...childEnvironment(), ...env },
      extendEnv: false,
      timeout: timeoutMs,
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ExecaError)) throw error;
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    if (error.code === 'ENOENT') throw new MissingToolError(command, 'Run `npm run setup`.', { cause: error });
    const said = error.timedOut ? `no end within ${timeoutMs / 1000} s` : String(error.stderr);
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new CommandFailedError(nameOf(command, args), said, { cause: error });
  }
}

/** What the command is about, e.g. "kubectl get secrets": flags may hold what nobody should read. */
function nameOf(command: string, args: readonly string[]): string {
  return [basename(command), ...args.filter((arg) => !arg.startsWith('-')).slice(0, 3)].join(' ');
}
