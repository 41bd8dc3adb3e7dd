import { sleep } from '@kmm-hub/kube';
import { Queue, QueueEvents, type QueueEventsListener } from 'bullmq';
import { atMost } from './at-most.ts';
import { QueueUnreachableError } from './errors.ts';
import {
  concurrencyOf,
  HINT_EVENT,
  IMAGE_QUEUE,
  type ImageJob,
  type ImageStep,
  type JobPriority,
  QUEUE_PREFIX,
  readStep,
} from './image-job.ts';
import { brokenWorker, type ImageResult, readResult } from './image-result.ts';
import { connectRedis, type RedisHealth } from './redis-connection.ts';

export type ImageQueueListener = {
  /** A job ended. Delivery is at most once: whoever listens asks again by adding the job again. */
  onResult: (name: string, result: ImageResult) => void;
  onStep: (name: string, step: ImageStep) => void;
  /** A worker saw that a Secret which the image's recipe names changed. As many times as there are workers. */
  onHint: (name: string) => void;
  /** Redis can be used, for the first time or again; it may have lost every job. */
  onConnected: () => void;
};

/** A job as Redis has it: a worker is busy with it, or it waits. */
export type QueuedJob = { name: string; active: boolean; priority: number };

/** More than the hub ever adds; whoever else writes to Redis shall not fill its memory. */
const MAX_LISTED = 2_000;
/** How long the hub is deaf after an event that cannot be read. */
const LISTEN_AGAIN_MS = 100;
/** How long one call may take, beyond the limit of its single commands: BullMQ first waits for its connection. */
const CALL_LIMIT_MS = 15_000;
/** How long the queue is given to say good-bye to Redis. */
const CLOSE_LIMIT_MS = 2_000;

interface HintListener extends QueueEventsListener {
  [HINT_EVENT]: (args: { name?: unknown }, id: string) => void;
}

/** The producer side. Redis holds only work in flight; emptied, the hub adds again what is not settled. */
export class ImageQueue {
  readonly #url: string;
  readonly #queue: Queue<ImageJob, ImageResult>;
  readonly #events: QueueEvents;
  readonly #connections: readonly RedisHealth[];
  readonly #closing = new AbortController();

  constructor(url: string, listener: ImageQueueListener) {
    this.#url = url;
    const commands = connectRedis(url, { blocking: false });
    const blocking = connectRedis(url, { blocking: true });
    this.#connections = [commands, blocking];
    this.#queue = new Queue(IMAGE_QUEUE, { connection: commands.redis, prefix: QUEUE_PREFIX });
    const source = { connection: blocking.redis, prefix: QUEUE_PREFIX, autorun: false };
    this.#events = new QueueEvents(IMAGE_QUEUE, source);
    // Errors of the connection are kept by connectRedis for /readyz; without a listener they would end the process.
    this.#queue.on('error', ignoreConnectionError);
    this.#events.on('error', ignoreConnectionError);
    this.#hear(listener);
    commands.redis.on('ready', () => listener.onConnected());
    void this.#listen();
  }

  /** Why the queue cannot be used now. */
  problems(): string[] {
    return [...new Set(this.#connections.flatMap(({ problem }) => problem() ?? []))];
  }

  /**
   * Adds the job unless one of the name is waiting or running. An ended job removes itself.
   * @throws QueueUnreachableError, at once while Redis is known to be away.
   */
  async add(job: ImageJob, { priority }: { priority: JobPriority }, signal: AbortSignal): Promise<void> {
    const ended = { attempts: 1, removeOnComplete: true, removeOnFail: true };
    await this.#call(() => this.#queue.add('image', job, { jobId: job.name, priority, ...ended }), signal);
  }

  /** The jobs that have not ended. @throws QueueUnreachableError as `add`. */
  async jobs(signal: AbortSignal): Promise<QueuedJob[]> {
    return this.#call(async () => {
      const [active, waiting] = await Promise.all([
        this.#queue.getJobs(['active'], 0, MAX_LISTED),
        this.#queue.getJobs(['wait', 'prioritized', 'delayed'], 0, MAX_LISTED),
      ]);
      const read = (isActive: boolean) => (job: { id?: string; priority?: number } | undefined) =>
        job?.id === undefined ? [] : [{ name: job.id, active: isActive, priority: job.priority ?? 0 }];
      return [...active.flatMap(read(true)), ...waiting.flatMap(read(false))];
    }, signal);
  }

  /** Moves a waiting job behind the others of that priority. @throws QueueUnreachableError as `add`. */
  async setPriority(name: string, priority: JobPriority, signal: AbortSignal): Promise<void> {
    await this.#call(async () => (await this.#queue.getJob(name))?.changePriority({ priority }), signal);
  }

  /** Takes a waiting job out; a running one finds its ModuleImage gone. @throws QueueUnreachableError as `add`. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#call(() => this.#queue.remove(name), signal);
  }

  /** How many jobs all workers that are connected work on at once. @throws QueueUnreachableError as `add`. */
  async concurrency(signal: AbortSignal): Promise<number> {
    const workers = await this.#call(() => this.#queue.getWorkers(), signal);
    return workers.reduce((sum, { rawname = '' }) => sum + concurrencyOf(rawname), 0);
  }

  /** Ends within seconds even when Redis does not answer. */
  async close(): Promise<void> {
    this.#closing.abort();
    await atMost(CLOSE_LIMIT_MS, Promise.allSettled([this.#events.close(), this.#queue.close()]));
    for (const connection of this.#connections) connection.disconnect(); // what still waits for an answer ends with it
  }

  #hear({ onResult, onStep, onHint }: ImageQueueListener): void {
    this.#events.on('completed', ({ jobId, returnvalue }) => onResult(jobId, readResult(returnvalue)));
    this.#events.on('failed', ({ jobId, failedReason }) => onResult(jobId, brokenWorker(String(failedReason))));
    this.#events.on('progress', ({ jobId, data }) => {
      const step = readStep(data);
      if (step !== undefined) onStep(jobId, step);
    });
    this.#events.on<HintListener>(HINT_EVENT, ({ name }: { name?: unknown }) => {
      if (typeof name === 'string') onHint(name);
    });
  }

  /** BullMQ stops listening for good at an event that is no JSON: it is left out, and a result behind it is asked for again. */
  async #listen(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#events.run().catch(ignoreConnectionError);
      await sleep(LISTEN_AGAIN_MS, this.#closing.signal);
    }
  }

  async #call<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const [problem] = this.problems();
    if (problem !== undefined) throw new QueueUnreachableError(this.#url, { cause: problem });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]);
    try {
      return await Promise.race([send(), whenAborted(limit)]);
    } catch (err) {
      signal.throwIfAborted();
      throw new QueueUnreachableError(this.#url, { cause: err });
    }
  }
}

/** Rejects with the signal's reason. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function ignoreConnectionError(): void {
  // see ImageQueue's constructor
}
