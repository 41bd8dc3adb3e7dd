import { UsageError } from '@kmm-hub/api-types';
import { type Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/**
 * Reads the flags of a process (`argv` without program and script). `undefined` when only help was asked for, which is
 * then on stdout. @throws UsageError for every mistake, so that the process tells it once, in one line, and exits with 2.
 */
export function parseFlags<T extends object>(command: Command, argv: readonly string[]): T | undefined {
  try {
    return command
      .exitOverride()
      .configureOutput({ writeErr: () => undefined }) // told by the process
      .parse(argv, { from: 'user' })
      .opts<T>();
  } catch (err) {
    if (!(err instanceof CommanderError)) throw err;
    if (err.exitCode === 0) return undefined;
    const message = err.message
      .replace(/^error: /, '')
      .replace(/\s*\n\s*/g, ' ')
      .replace(/[.\s]+$/, '');
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(message, undefined, { cause: err });
  }
}

/** Argument parser for a whole number within bounds, both included. */
export function integerFlag(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  };
}

/** An option that may also come from the environment: KMM_ and its name in upper snake case, as every flag of ours. */
export function environmentFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.env(`KMM_${option.name().replaceAll('-', '_').toUpperCase()}`);
}

/** `--leader-elect`, as the deployments of controller-runtime have it: on unless `--leader-elect=false`. */
export function leaderElectFlag(): Option {
  return environmentFlag('--leader-elect [boolean]', 'of several instances only the one that holds the lease acts')
    .default(true)
    .argParser(booleanFlag);
}

function booleanFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It is true or false.');
}
