import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Executor } from '../src/executors/executor.ts';

const POLL_MS = 20;

/**
 * The same executor, for tests of what a step says; the base image needs busybox. Under chroot isolation buildah does not
 * wait for the copying of a step's output, so on a busy machine what a step prints right before its end may be lost. Here
 * every RUN line ends only after all that it wrote to stdout was heard.
 */
export function hearing(executor: Executor): Executor {
  return {
    async build(request, signal) {
      const ended = new AbortController();
      const waking: Promise<void>[] = [];
      const onLog = (line: string) => {
        const mark = /^heard-(\d+)$/.exec(line)?.[1];
        if (mark === undefined) request.onLog(line);
        else waking.push(untilWoken(mark, ended.signal));
      };
      try {
        return await executor.build({ ...request, dockerfile: withPauses(request.dockerfile), onLog }, signal);
      } finally {
        ended.abort();
        await Promise.all(waking);
      }
    },
  };
}

/** Behind each command: tell a mark, sleep until somebody has read it, end as the command did. */
function withPauses(dockerfile: string): string {
  return dockerfile.replace(/^RUN (.*)$/gm, (_line, command: string) => {
    const mark = randomInt(1_000_000_000, 2_000_000_000);
    return `RUN (${command}); status=$?; echo heard-${mark}; busybox sleep ${mark}; exit $status`;
  });
}

/** Waits for that sleep, which begins a moment after its mark, and ends it. Ends with the build. */
async function untilWoken(mark: string, ended: AbortSignal): Promise<void> {
  while (!ended.aborted && !(await endSleeps(mark))) await pause(POLL_MS);
}

/** Ends every `busybox sleep <seconds>` of builds on this machine, so that their steps go on; false when there is none. */
export async function endSleeps(seconds: string): Promise<boolean> {
  const pids = await pidsOf(['busybox', 'sleep', seconds]);
  for (const pid of pids) terminate(pid);
  return pids.length > 0;
}

function terminate(pid: number): void {
  try {
    process.kill(pid);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err; // a build that is cancelled takes it along
  }
}

async function pidsOf(command: readonly string[]): Promise<number[]> {
  const wanted = command.map((part) => `${part}\0`).join('');
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''); // gone meanwhile
    if (line === wanted) found.push(Number(name));
  }
  return found;
}
