import { join } from 'node:path';
import { cacheFolder, checkout } from '../host/config.ts';
import { freePort } from '../host/ports.ts';
import { type Restartable, startRestartable } from '../host/restartable.ts';

export type KmmProcessOptions = {
  name: string;
  /** From the top of the checkout, e.g. "hub/src/main.ts". */
  entry: string;
  args: string[];
  /** Beside the short environment every program of the lab gets; what others may not see among the arguments. */
  env?: Record<string, string>;
  /** For the log. */
  folder: string;
  signal: AbortSignal;
};

/** A world has one of each and nobody who would start it again: it is not to end over a lease that a busy machine renewed late. */
export const SINGLE_INSTANCE = '--leader-elect=false';

const READY_LIMIT_MS = 180_000;

/** Starts one of our own processes as a user would, and waits until its /readyz says 200. */
export async function startKmmProcess(options: KmmProcessOptions): Promise<Restartable> {
  const { name, entry, args, env, folder, signal } = options;
  const port = await freePort();
  // Kept between runs: taking the types off our sources is half of what a start costs.
  const compiled = { NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled') };
  return startRestartable({
    name,
    command: process.execPath,
    args: [join(checkout, entry), ...args, '--health-port', String(port)],
    env: { ...compiled, ...env },
    logFile: join(folder, `${name}.log`),
    ready: async (limit) => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: limit });
      const reasons = (await response.text()).trim();
      if (!response.ok) throw new NotReadyYet(reasons);
    },
    readyTimeoutMs: READY_LIMIT_MS,
    signal,
  });
}

/** What /readyz said; the wait tries again and shows it when the time is up. */
class NotReadyYet extends Error {
  override readonly name = 'NotReadyYet';
}
