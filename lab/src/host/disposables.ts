import { setTimeout as sleep } from 'node:timers/promises';
import { NotReadyError, StoppedBySignalError } from './errors.ts';

export type Disposable = { name: string; stop: () => Promise<unknown>; limitMs?: number };
export type StopFailure = { name: string; error: unknown };

const defaultLimitMs = 20_000;

/** What a run has started, to be stopped in reverse order. */
export class Disposables {
  readonly #started: Disposable[] = [];
  #stopping: Promise<StopFailure[]> | undefined;

  /** `limitMs` (20 s) bounds the wait for this one; what outlives it dies with this process at the latest. */
  add(disposable: Disposable): void {
    this.#started.push(disposable);
  }

  /** Stops all, the newest first, one failure not sparing the others; tells what failed. A second call joins the first. */
  stopAll(): Promise<StopFailure[]> {
    this.#stopping ??= this.#stopInTurn();
    return this.#stopping;
  }

  async #stopInTurn(): Promise<StopFailure[]> {
    const failures: StopFailure[] = [];
    for (let next = this.#started.pop(); next !== undefined; next = this.#started.pop()) {
      try {
        await withinLimit(next);
      } catch (error) {
        failures.push({ name: next.name, error });
      }
    }
    return failures;
  }
}

async function withinLimit({ name, stop, limitMs = defaultLimitMs }: Disposable): Promise<void> {
  const done = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: done.signal }).then(
    () => Promise.reject(new NotReadyError(`the end of ${name}`, limitMs)),
    () => undefined, // aborted: stopped in time
  );
  try {
    await Promise.race([stop(), limit]);
  } finally {
    done.abort();
  }
}

/** A terminal's Ctrl-C reaches us twice: from the terminal, and from npm or the script that started us. */
const SAME_SIGNAL_MS = 1_000;

/**
 * On the first SIGINT or SIGTERM the returned signal aborts and everything is stopped; whoever runs sees its waits end
 * and joins with `stopAll`. Another one a second later ends the process at once. `release` gives the signals back to Node.
 */
export function stopOnSignals(disposables: Disposables): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  let firstAt: number | undefined;
  const release = () => names.forEach((name) => void process.off(name, stop));
  const stop = (name: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      controller.abort(new StoppedBySignalError(name));
      void disposables.stopAll(); // never rejects
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
      release();
      process.kill(process.pid, name);
    }
  };
  for (const name of names) process.on(name, stop);
  return { signal: controller.signal, release };
}
