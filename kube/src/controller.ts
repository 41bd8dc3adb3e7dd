import { HubError } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { TooManyRequestsError } from './errors.ts';
import type { ReconcileMetrics, ReconcileOutcome } from './metrics.ts';
import { WorkQueue } from './work-queue.ts';

/** What a reconcile asks for; nothing means done until the next event. */
export type ReconcileResult = { requeueAfterMs?: number } | undefined;

export type ControllerOptions = {
  /** Constant, in kebab-case: log field and metric label. */
  name: string;
  /** Gets the newest state from its caches; must give up soon after its signal aborts. */
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  log: Logger;
  metrics?: ReconcileMetrics;
  /** Keys worked on at once. Default 8. */
  concurrency?: number;
  /** Limit for one reconcile. Default 60 000. */
  timeoutMs?: number;
};

/**
 * Runs one reconcile function over the keys of a queue. The runtime owns retry, limits and counting: an error comes back
 * with back-off, one that says `retry: never` waits for the next event, and a mistake in the program is told with its
 * stack and tried again. One key is never worked on twice at once, and no error ends the loop.
 *
 * A key that is added before the controller runs is one of the first list, and low: after a restart a change is not behind ten
 * thousand objects that were there (controller-runtime does so since its 0.20).
 */
export class Controller {
  readonly queue = new WorkQueue();
  readonly #options: ControllerOptions;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.queue.usualPriority = 'low';
  }

  get name(): string {
    return this.#options.name;
  }

  /** Works until aborted, then waits for what is being worked on. */
  async run(signal: AbortSignal): Promise<void> {
    this.queue.usualPriority = 'normal';
    const workers = Array.from({ length: this.#options.concurrency ?? 8 }, () => this.#work(signal));
    await Promise.all(workers);
    this.queue.close();
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.take(signal);
      if (key === undefined) return;
      try {
        await this.#once(key, signal);
      } finally {
        this.queue.done(key);
      }
    }
  }

  async #once(key: string, signal: AbortSignal): Promise<void> {
    const { name, metrics, timeoutMs = 60_000 } = this.#options;
    const started = performance.now();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new ReconcileTimeoutError(name, timeoutMs)), timeoutMs);
    let outcome: ReconcileOutcome | undefined;
    try {
      outcome = this.#succeeded(key, await this.#reconcile(key, AbortSignal.any([signal, timeout.signal])));
    } catch (err) {
      if (!signal.aborted) outcome = this.#failed(key, err);
    } finally {
      clearTimeout(timer);
    }
    if (outcome !== undefined) metrics?.(name, outcome, performance.now() - started);
  }

  /** A function that throws before its first await fails like any other. */
  async #reconcile(key: string, limit: AbortSignal): Promise<ReconcileResult> {
    return this.#options.reconcile(key, limit);
  }

  #succeeded(key: string, result: ReconcileResult): ReconcileOutcome {
    this.queue.forget(key);
    if (result?.requeueAfterMs === undefined) return 'success';
    this.queue.addAfter(key, result.requeueAfterMs, this.queue.priorityOf(key));
    return 'requeue';
  }

  #failed(key: string, err: unknown): ReconcileOutcome {
    const { name, log } = this.#options;
    if (err instanceof HubError && err.retry === 'never') {
      this.queue.forget(key);
      log.error({ err, controller: name, key }, 'reconcile failed; it waits for a change');
      return 'terminal';
    }
    const atLeastMs = err instanceof TooManyRequestsError ? err.retryAfterMs : 0;
    const delayMs = Math.round(this.queue.addRateLimited(key, atLeastMs));
    const outcome = outcomeOf(err);
    const level = outcome === 'panic' ? 'error' : 'warn';
    log[level]({ err, controller: name, key, delayMs, outcome }, 'reconcile failed; it is tried again');
    return outcome;
  }
}

function outcomeOf(err: unknown): ReconcileOutcome {
  if (err instanceof ReconcileTimeoutError) return 'timeout';
  return err instanceof HubError ? 'error' : 'panic';
}

/** One reconcile took longer than its controller allows. */
export class ReconcileTimeoutError extends HubError {
  override readonly name = 'ReconcileTimeoutError';
  readonly code = 'ReconcileTimeout';
  readonly retry = 'backoff';
  readonly remedy = 'It is tried again; look for a server that answers slowly.';
  constructor(controller: string, timeoutMs: number) {
    super(`${controller}: a reconcile was not done within ${timeoutMs / 1000} s`);
  }
}
