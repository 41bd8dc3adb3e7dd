import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { QueueObserver, WorkQueue } from './work-queue.ts';

type NamedQueue = { readonly name: string; readonly queue: WorkQueue };

/** Counts what happens in the queues of these controllers, under client-go's names. To be called before they run. */
export function queueMetrics(registry: Registry, controllers: readonly NamedQueue[]): void {
  const observerOf = queueCounters(registry);
  for (const { name, queue } of controllers) queue.observe(observerOf(name));
  gauge(
    'workqueue_depth',
    'Keys that wait to be worked on, those with a time to wait for left out.',
    ({ length }) => length,
  );
  gauge(
    'workqueue_unfinished_work_seconds',
    'Time spent so far on keys that are being worked on, summed up.',
    (queue) => seconds(queue.runningMs().reduce((sum, ms) => sum + ms, 0)),
  );
  gauge('workqueue_longest_running_processor_seconds', 'Time spent so far on the key that takes longest.', (queue) =>
    seconds(Math.max(0, ...queue.runningMs())),
  );

  function gauge(name: string, help: string, read: (queue: WorkQueue) => number): void {
    new Gauge({
      ...{ name, help, labelNames: ['name'] as const, registers: [registry] },
      collect() {
        for (const { name: controller, queue } of controllers) this.set({ name: controller }, read(queue));
      },
    });
  }
}

function queueCounters(registry: Registry): (name: string) => QueueObserver {
  const shared = { labelNames: ['name'] as const, registers: [registry] };
  const buckets = [0.001, 0.01, 0.1, 1, 10, 60];
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys added, those that waited already left out.',
    ...shared,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys added again after a failure.',
    ...shared,
  });
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Time from adding a key to working on it.',
    ...{ buckets, ...shared },
  });
  const works = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time spent on one key.',
    ...{ buckets, ...shared },
  });
  return (name) => {
    for (const counter of [adds, retries]) counter.inc({ name }, 0); // rate() needs the first zero
    return {
      added: () => adds.inc({ name }),
      retried: () => retries.inc({ name }),
      taken: (waitedMs) => waits.observe({ name }, seconds(waitedMs)),
      done: (workedMs) => works.observe({ name }, seconds(workedMs)),
    };
  };
}

function seconds(ms: number): number {
  return ms / 1000;
}
