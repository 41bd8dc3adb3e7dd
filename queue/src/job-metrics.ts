import { Queue } from 'bullmq';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { atMost } from './client/at-most.ts';
import { IMAGE_QUEUE, IMAGE_STEPS, type ImageStep, QUEUE_PREFIX } from './client/image-job.ts';
import { connectRedis } from './client/redis-connection.ts';

/** As BullMQ names them; ended jobs remove themselves. */
const STATES = ['prioritized', 'wait', 'delayed', 'active'] as const;
/** A scrape waits no longer for Redis; Prometheus gives up after ten seconds. */
const READ_LIMIT_MS = 2_000;
const CLOSE_LIMIT_MS = 2_000;

/**
 * Jobs of the queue by state, read from Redis when somebody scrapes: every worker tells the same. Nothing is told while
 * Redis does not answer. Dispose of it to let go of Redis.
 */
export function jobCounts(registry: Registry, redisUrl: string): AsyncDisposable {
  const connection = connectRedis(redisUrl, { blocking: false });
  const queue = new Queue(IMAGE_QUEUE, { connection: connection.redis, prefix: QUEUE_PREFIX });
  queue.on('error', () => undefined); // connectRedis keeps it; without a listener it would end the process
  new Gauge({
    name: 'kmm_hub_jobs',
    help: 'Image jobs in the queue by state; all workers tell the same.',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      if (connection.problem() !== undefined) return;
      const counted = queue.getJobCounts(...STATES).then((counts) => {
        for (const state of STATES) this.set({ state }, counts[state] ?? 0);
      });
      await atMost(
        READ_LIMIT_MS,
        counted.catch(() => undefined),
      ); // as if Redis were away, which /readyz tells
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      await atMost(CLOSE_LIMIT_MS, Promise.allSettled([queue.close()]));
      connection.disconnect();
    },
  };
}

/** What a worker tells of the jobs that it works on. */
export interface JobObserver {
  /** The job begins this step, and has ended the one before it. */
  began(step: ImageStep): void;
  /** `outcome` as in ImageResult, "Aborted" when the worker gave the job back or lost it, "WorkerFailed" when it broke. */
  ended(outcome: string): void;
}

/** Times the steps of the jobs of this worker; answers with an observer for each job. */
export function jobMetrics(registry: Registry): () => JobObserver {
  const seconds = new Histogram({
    name: 'kmm_hub_job_step_duration_seconds',
    help: 'Duration of one step of an image job on this worker.',
    buckets: [0.1, 0.5, 2.5, 10, 60, 300, 1800],
    labelNames: ['step'] as const,
    registers: [registry],
  });
  const total = new Counter({
    name: 'kmm_hub_jobs_ended_total',
    help: 'Image jobs that this worker ended, by outcome.',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  for (const step of IMAGE_STEPS) seconds.zero({ step }); // rate() needs the first zero
  return () => {
    let current: { step: ImageStep; since: number } | undefined;
    const endStep = () => {
      if (current !== undefined) seconds.observe({ step: current.step }, (performance.now() - current.since) / 1000);
      current = undefined;
    };
    return {
      began(step) {
        endStep();
        current = { step, since: performance.now() };
      },
      ended(outcome) {
        endStep();
        total.inc({ outcome });
      },
    };
  };
}
