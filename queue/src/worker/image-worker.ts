import { type Job, WaitingError, Worker } from 'bullmq';
import type { Logger } from 'pino';
import { atMost } from '../client/at-most.ts';
import { IMAGE_QUEUE, type ImageJob, type ImageResult, QUEUE_PREFIX } from '../client/image-job.ts';
import { connectRedis, type RedisHealth } from '../client/redis-connection.ts';
import { processImage, type WorkerDeps } from './process-image.ts';

export type ImageWorkerOptions = WorkerDeps & { redisUrl: string; concurrency: number };

/** A worker that was killed loses its job after this long, and another one takes it. */
const LOCK_MS = 30_000;
/** A job may be lost by as many workers as die; it is the hub that gives up, never the queue. */
const MAX_STALLED = 1_000_000;
const LOG_LINES = 2_000;

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

  constructor(options: ImageWorkerOptions) {
    const { redisUrl, concurrency, log } = options;
    this.#connection = connectRedis(redisUrl, { blocking: true });
    // BullMQ hands a live signal only to a processor with three parameters.
    this.#worker = new Worker<ImageJob, ImageResult>(
      IMAGE_QUEUE,
      (job, token, signal) => runOrGiveBack(options, { job, token }, signal ?? new AbortController().signal),
      {
        connection: this.#connection.redis,
        prefix: QUEUE_PREFIX,
        concurrency,
        lockDuration: LOCK_MS,
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

  /** Why no job can be taken now. */
  problems(): string[] {
    const problem = this.#connection.problem();
    return problem === undefined ? [] : [problem];
  }

  /** Resolves once everything has stopped after the abort. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await this[Symbol.asyncDispose]();
  }

  /** Ends within seconds even when Redis does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#worker.close(); // first, so that no further job is taken
    this.#worker.cancelAllJobs(STOPPING);
    await atMost(this.problems().length === 0 ? CLOSE_LIMIT_MS : CLOSE_WITHOUT_REDIS_MS, closing);
    this.#connection.disconnect(); // what still waits for an answer ends with it
  }
}

type Held = { job: Job<ImageJob, ImageResult>; token: string | undefined };

async function runOrGiveBack(deps: WorkerDeps, { job, token }: Held, signal: AbortSignal): Promise<ImageResult> {
  try {
    return await runJob(deps, job, signal);
  } catch (err) {
    if (signal.reason !== STOPPING) throw err;
    await job.moveToWait(token);
    // biome-ignore lint/style/useErrorCause: no error, but BullMQ's word for a job that was moved
    throw new WaitingError();
  }
}

async function runJob(deps: WorkerDeps, job: Job<ImageJob, ImageResult>, signal: AbortSignal): Promise<ImageResult> {
  const { log } = deps;
  const started = performance.now();
  const lines = jobLog(job, log);
  const step = async (name: string) => {
    await job.updateProgress({ step: name });
    log.info({ job: job.id, step: name }, 'step');
  };
  const result = await processImage(deps, { job: job.data, progress: { step, line: lines.add } }, signal);
  await lines.flush();
  log.info({ job: job.id, outcome: result.outcome, durationMs: Math.round(performance.now() - started) }, 'job ended');
  return result;
}

/** Sends lines to the job's log in order, at most so many; a log that cannot be written never fails the build. */
function jobLog(job: Job<ImageJob, ImageResult>, log: Logger) {
  let sending = Promise.resolve();
  let count = 0;
  return {
    add(text: string) {
      count += 1;
      if (count > LOG_LINES) return;
      const line = count === LOG_LINES ? '… the log is cut here' : text;
      sending = sending
        .then(async () => {
          await job.log(line);
        })
        .catch((err: unknown) => log.debug({ err, job: job.id }, 'log line not kept'));
    },
    flush: () => sending,
  };
}
