import type { ExitStatus } from './errors.ts';
import { type ProcessOptions, type RunningProcess, type StopOptions, startProcess } from './process.ts';

/** A server that can be stopped, frozen, killed and started again with the same arguments, port and data. */
export type Restartable = {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number;
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
  let current: RunningProcess = await startProcess(options);
  return {
    name: options.name,
    logFile: options.logFile,
    get pid() {
      return current.pid;
    },
    stop: (how) => current.stop(how),
    async restart(signal) {
      await current.stop();
      current = await startProcess({ ...options, signal });
    },
    async kill9() {
      current.kill('SIGKILL');
      await current.exited;
    },
    pause: () => current.kill('SIGSTOP'),
    resume: () => current.kill('SIGCONT'),
  };
}
