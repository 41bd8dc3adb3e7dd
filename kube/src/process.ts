import { explain, HubError } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { processEnvironment } from './config.ts';
import { createLogger } from './logger.ts';

/** How long a process may take to stop before it is ended. */
const STOP_LIMIT_MS = 20_000;

/**
 * Runs one process until it ends or is told to (SIGTERM, SIGINT). Exit codes: 0 stopped cleanly, 1 failed, 2 wrong usage.
 * An expected failure is one clear line; only a mistake of ours shows a stack, also one that nobody awaited.
 */
export async function runProcess(
  name: string,
  main: (context: { log: Logger; signal: AbortSignal }) => Promise<void>,
): Promise<void> {
  const { logLevel, terminal } = processEnvironment();
  const log = createLogger({ process: name, level: logLevel, pretty: terminal });
  const stopping = new AbortController();
  const stop = (reason: unknown) => {
    stopping.abort(reason);
    setTimeout(() => process.exit(process.exitCode || 1), STOP_LIMIT_MS).unref();
  };
  for (const event of ['SIGTERM', 'SIGINT'] as const) {
    process.once(event, () => {
      log.info({ signal: event }, 'stopping');
      stop(new Error(event));
    });
  }
  endOnMistakes(log);
  try {
    await main({ log, signal: stopping.signal });
    process.exitCode = 0;
  } catch (err) {
    if (stopping.signal.aborted && isAbort(err, stopping.signal.reason)) return;
    process.exitCode = err instanceof HubError && err.code === 'WrongUsage' ? 2 : 1;
    if (err instanceof HubError) process.stderr.write(`${name}: ${explain(err)}\n`);
    else log.fatal({ err }, 'failed by a mistake in the program');
    stop(err); // whatever still runs ends with it
  }
}

/** Node's own functions wrap the reason of an abort. */
function isAbort(err: unknown, reason: unknown): boolean {
  return err === reason || (err instanceof Error && (err.name === 'AbortError' || err.cause === reason));
}

/** After an error that no code expected nothing in the process can be relied on: it says so and is started anew. */
function endOnMistakes(log: Logger): void {
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (err: unknown) => {
      log.fatal({ err, event }, 'failed by a mistake in the program');
      process.exit(1);
    });
  }
}
