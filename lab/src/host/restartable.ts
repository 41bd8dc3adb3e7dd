import type { ExitStatus } from './errors.ts';
import { type ProcessOptions, type RunningProcess, type StopOptions, startProcess } from './process.ts';

/** A server that can be stopped, frozen, killed and started again with the same arguments, port and data. */
export type Restartable = {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number;
  /** How it ended, be it stopped or by itself; undefined while it runs. */
  readonly ended: ExitStatus | undefined;
  stop(options?: StopOptions): Promise<ExitStatus>;
  /** Stops it when it runs, starts it and waits until it is ready. */
  restart(signal: AbortSignal): Promise<void>;
  /** As a crash: kill -9, and waits until it is gone. */
  kill9(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers, as with a hung host. */
  pause(): void;
  resume(): void;
};

/** @throws as startProcess. */
export async function startRestartable(options: ProcessOptions): Promise<Restartable> {
  let current: RunningProcess;
  let ended: ExitStatus | undefined;
  const start = async (signal: AbortSignal) => {
    const started = await startProcess({ ...options, signal });
    [current, ended] = [started, undefined];
    void started.exited.then((status) => {
      if (current === started) ended = status;
    });
  };
  await start(options.signal);
  return {
    name: options.name,
    logFile: options.logFile,
    get pid() {
      return current.pid;
    },
    get ended() {
      return ended;
    },
    stop: (how) => current.stop(how),
    async restart(signal) {
      await current.stop();
      await start(signal);
    },
    async kill9() {
      current.kill('SIGKILL');
      await current.exited;
    },
    pause: () => current.kill('SIGSTOP'),
    resume: () => current.kill('SIGCONT'),
  };
}
