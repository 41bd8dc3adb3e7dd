import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** terminal: waits for a change; timeout: took too long; panic: an error that nobody expected, a mistake in the program. */
const RESULTS = ['success', 'requeue', 'error', 'terminal', 'timeout', 'panic'] as const;
export type ReconcileOutcome = (typeof RESULTS)[number];

/** Counts one reconcile. */
export type ReconcileMetrics = (controller: string, result: ReconcileOutcome, durationMs: number) => void;

/** A registry of this process alone, with Node's own metrics. */
export function metricsRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** `controllers`: every name that will be counted, so that each series starts at zero. */
export function reconcileMetrics(registry: Registry, controllers: readonly string[]): ReconcileMetrics {
  const shared = { labelNames: ['controller', 'result'] as const, registers: [registry] };
  const total = new Counter({ name: 'kmm_hub_reconcile_total', help: 'Reconciles by result.', ...shared });
  const seconds = new Histogram({
    name: 'kmm_hub_reconcile_duration_seconds',
    help: 'Duration of one reconcile, queue wait excluded.',
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    ...shared,
  });
  for (const controller of controllers) {
    for (const result of RESULTS) total.inc({ controller, result }, 0); // rate() needs the first zero
  }
  return (controller, result, durationMs) => {
    total.inc({ controller, result });
    seconds.observe({ controller, result }, durationMs / 1000);
  };
}
