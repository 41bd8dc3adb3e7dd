import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MissingToolError } from '@kmm-hub/api-types';
import { childEnvironment } from './config.ts';
import { type ExitStatus, ProcessExitedError } from './errors.ts';
import { lastLines } from './log-file.ts';
import { waitFor } from './wait.ts';

export type ProcessOptions = {
  /** What logs and errors call it, e.g. "spoke-a etcd". */
  name: string;
  command: string;
  args: readonly string[];
  /** Beside the short environment every program of the lab gets. */
  env?: Record<string, string>;
  cwd?: string;
  /** stdout and stderr, appended; a relative path is one of this process's working folder. */
  logFile: string;
  /** Asked until it returns without throwing; left out means ready as soon as it runs. */
  ready?: (signal: AbortSignal) => Promise<void>;
  readyTimeoutMs?: number;
  /** Ends the start, not the running process: that one is ended by `stop`. */
  signal: AbortSignal;
};

export type StopOptions = {
  /** Default SIGTERM. */
  signal?: NodeJS.Signals;
  /** After this time everything in the process's group is killed. Default 10,000. */
  graceMs?: number;
};

export type RunningProcess = {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal to the process; does nothing when it is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Asks the process to end, then kills what is left of its group. A process that is gone is a success. */
  stop(options?: StopOptions): Promise<ExitStatus>;
};

const defaults = { readyTimeoutMs: 30_000, graceMs: 10_000 };

/**
 * Starts a program in a process group of its own and waits until it is ready. It dies with this process, even when this one
 * is killed by -9: the kernel sends SIGKILL when the thread that spawned it ends (prctl(2), PR_SET_PDEATHSIG), so start it
 * from the main thread. That holds for the program only: what it spawns must see to itself in the same way.
 * @throws ProcessExitedError when it ends before it is ready, NotReadyError when it takes too long, MissingToolError.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { name, logFile, ready, readyTimeoutMs = defaults.readyTimeoutMs, signal } = options;
  signal.throwIfAborted();
  const running = await launch(options);
  const ended = new AbortController();
  void running.exited.then((status) => ended.abort(status));
  const check = async (limit: AbortSignal) => {
    await ready?.(limit);
    return true;
  };
  try {
    const limit = AbortSignal.any([signal, ended.signal]);
    await waitFor({ what: name, check, timeoutMs: readyTimeoutMs, signal: limit });
    ended.signal.throwIfAborted(); // the answer was another server's that has the port
    return running;
  } catch (error) {
    const endedByItself = ended.signal.aborted;
    const status = await running.stop({ graceMs: 1_000 });
    if (!endedByItself) throw error;
    // biome-ignore lint/style/useErrorCause: the exit is the first cause, `error` only says that it ended the wait
    throw new ProcessExitedError(name, { status, logFile, lastLines: await lastLines(logFile) });
  }
}

async function launch({ name, command, args, env, cwd, logFile }: ProcessOptions): Promise<RunningProcess> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      detached: true, // a group of its own: Ctrl-C reaches this process only, which then stops things in order
      stdio: ['ignore', log.fd, log.fd],
      env: { ...childEnvironment(), ...env },
      cwd,
    });
    const exited = exitOf(child);
    await once(child, 'spawn');
    return runningProcess({ name, logFile, pid: child.pid as number, exited });
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new MissingToolError('setpriv', 'Install the package util-linux.', { cause: error });
  } finally {
    await log.close();
  }
}

function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function runningProcess(process: Omit<RunningProcess, 'kill' | 'stop'>): RunningProcess {
  let status: ExitStatus | undefined;
  void process.exited.then((value) => {
    status = value;
  });
  const kill = (signal: NodeJS.Signals) => {
    if (status === undefined) send(process.pid, signal);
  };
  const stop = async ({ signal = 'SIGTERM', graceMs = defaults.graceMs }: StopOptions = {}) => {
    kill(signal);
    kill('SIGCONT'); // a paused process would never see the first one
    const inTime = new AbortController();
    const grace = sleep(graceMs, undefined, { signal: inTime.signal }).catch(() => undefined);
    await Promise.race([process.exited, grace]);
    inTime.abort();
    send(-process.pid, 'SIGKILL');
    return process.exited;
  };
  return { ...process, kill, stop };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!gone) throw error;
  }
}
