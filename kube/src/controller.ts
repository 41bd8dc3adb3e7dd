import { HubError } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import type { ReconcileMetrics } from './metrics.ts';
import { WorkQueue } from './work-queue.ts';

/** What a reconcile asks for; nothing means done until the next event. */
export type ReconcileResult = { requeueAfterMs?: number } | undefined;

export type ControllerOptions = {
  /** Constant, in kebab-case: log field and metric label. */
  name: string;
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
 * with back-off, one that says `retry: never` waits for the next event.
 */
export class Controller {
  readonly queue = new WorkQueue();
  readonly #options: ControllerOptions;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Works until aborted, then waits for what is being worked on. */
  async run(signal: AbortSignal): Promise<void> {
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
    const { name, reconcile, metrics, timeoutMs = 60_000 } = this.#options;
    const started = performance.now();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const result = await reconcile(key, limit);
      this.queue.forget(key);
      if (result?.requeueAfterMs !== undefined) this.queue.addAfter(key, result.requeueAfterMs);
      const outcome = result?.requeueAfterMs === undefined ? 'success' : 'requeue';
      metrics?.(name, outcome, performance.now() - started);
    } catch (err) {
      if (signal.aborted) return;
      this.#failed(key, err);
      const outcome = err instanceof HubError && err.retry === 'never' ? 'terminal' : 'error';
      metrics?.(name, outcome, performance.now() - started);
    }
  }

  #failed(key: string, err: unknown): void {
    const { name, log } = this.#options;
    if (err instanceof HubError && err.retry === 'never') {
      this.queue.forget(key);
      log.error({ err, controller: name, key }, 'reconcile failed; it waits for a change');
      return;
    }
    const delayMs = Math.round(this.queue.addRateLimited(key));
    log.warn({ err, controller: name, key, delayMs }, 'reconcile failed; it is tried again');
  }
}
