import { type Job, WaitingError, Worker } from 'bullmq';
import { atMost } from '../client/at-most.ts';
import { BuildLogs, type BuildLogWriter } from '../client/build-log-writer.ts';
import { IMAGE_QUEUE, type ImageJob, type ImageStep, QUEUE_PREFIX, workerName } from '../client/image-job.ts';
import type { ImageResult } from '../client/image-result.ts';
import { connectRedis, type RedisHealth } from '../client/redis-connection.ts';
import type { JobObserver } from '../job-metrics.ts';
import { HintSender } from './hint-sender.ts';
import { InputWatch } from './input-watch.ts';
import { processImage, type WorkerDeps } from './process-image.ts';
import { RegistryHealth } from './registry-health.ts';

export type ImageWorkerOptions = Omit<WorkerDeps, 'registries'> & {
  redisUrl: string;
  concurrency: number;
  /** Asked once for each job. */
  observe?: () => JobObserver;
};

/**
 * A worker that was killed loses its job after this long, and another one takes it within half of it more. Renewed every
 * 2 s: with two cores, a load of 16 and two jobs signing 60 MB files without pause, no renewal came later than 2.3 s.
 */
const LOCK_MS = 10_000;
const RENEW_MS = 2_500;
/** A job may be lost by as many workers as die; it is the hub that gives up, never the queue. */
const MAX_STALLED = 1_000_000;

/** Why a job is aborted when its worker stops; it is put back then, so that another worker takes it at once. */
const STOPPING = 'the worker stops';
/** How long the worker may take to let go of its jobs; what it still holds then is taken over when its locks end. */
const CLOSE_LIMIT_MS = 10_000;
/** Without Redis nothing can be given back; this is for builds to be killed. */
const CLOSE_WITHOUT_REDIS_MS = 1_000;

/** The consumer side: takes jobs until aborted, then gives back what it is doing (another worker starts over). */
export class ImageWorker implements AsyncDisposable {
  readonly #worker: Worker<ImageJob, ImageResult>;
  readonly #connection: RedisHealth;
  readonly #registries = new RegistryHealth();
  readonly #logs: BuildLogs;
  readonly #hints: HintSender;
  readonly #inputs: InputWatch;

  constructor(options: ImageWorkerOptions) {
    const { client, namespace, redisUrl, concurrency, log } = options;
    this.#hints = new HintSender(redisUrl, log);
    this.#inputs = new InputWatch({ client, namespace, onChange: (image) => this.#hints.hint(image), log });
    this.#logs = new BuildLogs(redisUrl, log);
    const deps = { ...options, registries: this.#registries, logs: this.#logs };
    this.#connection = connectRedis(redisUrl, { blocking: true });
    // BullMQ hands a live signal only to a processor with three parameters.
    this.#worker = new Worker<ImageJob, ImageResult>(
      IMAGE_QUEUE,
      (job, token, signal) => runOrGiveBack(deps, { job, token }, signal ?? new AbortController().signal),
      {
        connection: this.#connection.redis,
        prefix: QUEUE_PREFIX,
        concurrency,
        name: workerName(concurrency),
        lockDuration: LOCK_MS,
        lockRenewTime: RENEW_MS,
        stalledInterval: LOCK_MS / 2,
        maxStalledCount: MAX_STALLED,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    this.#worker.on('error', (err) => log.debug({ err }, 'queue error')); // kept for /readyz by connectRedis
    this.#worker.on('lockRenewalFailed', (jobs) => {
      for (const id of jobs) this.#worker.cancelJob(id, 'the lock was lost: another worker has the job');
    });
  }

  /** Why no job can be taken now, or none succeed. */
  problems(): string[] {
    return [this.#connection.problem() ?? [], this.#inputs.problems(), this.#registries.problems()].flat();
  }

  /** Resolves once everything has stopped after the abort. */
  async run(signal: AbortSignal): Promise<void> {
    const watching = Promise.all([this.#inputs.run(signal), this.#hints.run(signal)]);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.all([watching, this[Symbol.asyncDispose]()]);
  }

  /** Ends within seconds even when Redis does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#worker.close(); // first, so that no further job is taken
    this.#worker.cancelAllJobs(STOPPING);
    const hintsClosing = this.#hints[Symbol.asyncDispose]();
    await atMost(this.#connection.problem() === undefined ? CLOSE_LIMIT_MS : CLOSE_WITHOUT_REDIS_MS, closing);
    this.#connection.disconnect(); // what still waits for an answer ends with it
    this.#logs[Symbol.dispose]();
    await hintsClosing;
  }
}

type JobDeps = WorkerDeps & Pick<ImageWorkerOptions, 'observe'> & { logs: BuildLogs };
type Held = { job: Job<ImageJob, ImageResult>; token: string | undefined };

async function runOrGiveBack(deps: JobDeps, { job, token }: Held, signal: AbortSignal): Promise<ImageResult> {
  const lines = deps.logs.open(job.data.name);
  const observer = deps.observe?.();
  try {
    const result = await runJob(deps, { job, lines, observer }, signal);
    observer?.ended(result.outcome);
    return result;
  } catch (err) {
    observer?.ended(signal.aborted ? 'Aborted' : 'WorkerFailed');
    // a job that is aborted is not over: another worker takes it, or has it already
    if (signal.aborted) lines.add('step', String(signal.reason));
    else lines.add('end', 'Failed: WorkerFailed');
    await lines.flush();
    if (signal.reason !== STOPPING) throw err;
    await job.moveToWait(token);
    // biome-ignore lint/style/useErrorCause: no error, but BullMQ's word for a job that was moved
    throw new WaitingError();
  }
}

type Running = { job: Job<ImageJob, ImageResult>; lines: BuildLogWriter; observer: JobObserver | undefined };

async function runJob(deps: JobDeps, { job, lines, observer }: Running, signal: AbortSignal): Promise<ImageResult> {
  const { log } = deps;
  const started = performance.now();
  const step = async (name: ImageStep) => {
    observer?.began(name);
    lines.add('step', name);
    await job.updateProgress({ step: name });
    log.info({ job: job.id, step: name }, 'step');
  };
  const progress = { step, line: (text: string) => lines.add('line', text) };
  const result = await processImage(deps, { job: job.data, progress }, signal);
  lines.add('end', endOf(result));
  await lines.flush();
  log.info({ job: job.id, outcome: result.outcome, durationMs: Math.round(performance.now() - started) }, 'job ended');
  return result;
}

/** The last line of the log; what went wrong stands before it. */
function endOf(result: ImageResult): string {
  if (result.outcome === 'Stale') return 'Stale: the recipe changed, and the hub decides anew';
  return `${result.outcome}: ${result.outcome === 'Published' ? result.digest : result.reason}`;
}
