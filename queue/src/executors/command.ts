import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MissingToolError } from '@kmm-hub/api-types';
import { execa } from 'execa';
import { BuilderBrokenError } from './errors.ts';

/** Debian's own; the worker's environment, with its passwords, is no business of the tools. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LAST_LINES = 20;
const MAX_LINE_BYTES = 4096;

export type Command = {
  argv: readonly [string, ...string[]];
  /** Home and place for temporary files of the command. */
  folder: string;
  onLog?: ((line: string) => void) | undefined;
  input?: Readable | undefined;
  /** Applied to every line that is kept or passed on. */
  mask?: ((line: string) => string) | undefined;
};

export type Outcome = { exitCode: number | undefined; stdout: string[]; lastLines: string[] };

/**
 * Runs a command to its end, killing it on abort (the signal's reason is then thrown). Exit codes are the caller's to judge:
 * undefined = killed from outside. Of its output only the last 20 lines are kept. Throws BuilderBrokenError when it cannot be
 * started.
 */
export async function runCommand({ argv, folder, onLog, input, mask }: Command, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted();
  const [file, ...args] = argv;
  const env = { PATH, HOME: folder, TMPDIR: folder, LC_ALL: 'C.UTF-8' };
  const source = input === undefined ? { stdin: 'ignore' as const } : { input };
  const options = { env, extendEnv: false, cwd: folder, reject: false, buffer: false } as const;
  const running = execa(file, args, { ...options, ...source, cancelSignal: signal, killSignal: 'SIGKILL' });
  const outcome: Outcome = { exitCode: undefined, stdout: [], lastLines: [] };
  const keep = (kept: string[]) => (line: string) => {
    kept.push(line);
    if (kept.length > LAST_LINES) kept.shift();
  };
  const keepLast = keep(outcome.lastLines);
  const keepStdout = keep(outcome.stdout);
  const forward = (line: string) => {
    keepLast(line);
    onLog?.(line);
  };
  const shown = mask ?? ((line: string) => line);
  onLines(running.stdout, (line) => {
    keepStdout(shown(line));
    forward(shown(line));
  });
  onLines(running.stderr, (line) => forward(shown(line)));
  const { exitCode, signal: killedBy, cause } = await running;
  signal.throwIfAborted();
  if (exitCode === undefined && killedBy === undefined)
    throw new BuilderBrokenError(`${file} cannot be run`, { cause });
  return { ...outcome, exitCode };
}

/** Throws MissingToolError for the first that is not installed. `packages` is what to install per tool. */
export async function requireTools(packages: Readonly<Record<string, string>>): Promise<void> {
  for (const [tool, name] of Object.entries(packages)) {
    const found = await Promise.all(PATH.split(':').map((folder) => isExecutable(join(folder, tool))));
    if (!found.includes(true)) throw new MissingToolError(tool, `Install it on the worker: apt-get install ${name}.`);
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason is, it cannot be started from there
  }
}

/** Unlike readline: a line without end does not grow for ever, its first 4 KiB are a line of their own. */
function onLines(stream: Readable, onLine: (line: string) => void): void {
  let open = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (open + chunk).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) onLine(line.slice(0, MAX_LINE_BYTES));
    if (open.length < MAX_LINE_BYTES) return;
    onLine(open.slice(0, MAX_LINE_BYTES));
    open = '';
  });
  stream.once('end', () => {
    if (open !== '') onLine(open);
  });
}
