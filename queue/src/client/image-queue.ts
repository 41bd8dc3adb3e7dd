import { Queue, QueueEvents } from 'bullmq';
import { atMost } from './at-most.ts';
import { QueueUnreachableError } from './errors.ts';
import {
  IMAGE_QUEUE,
  type ImageJob,
  type ImageResult,
  type ImageStep,
  QUEUE_PREFIX,
  readResult,
  readStep,
} from './image-job.ts';
import { connectRedis, type RedisHealth } from './redis-connection.ts';

export type ImageQueueListener = {
  /** A job ended. Delivery is at most once: whoever listens asks again by adding the job again. */
  onResult: (name: string, result: ImageResult) => void;
  onStep: (name: string, step: ImageStep) => void;
  /** Redis can be used, for the first time or again; it may have lost every job. */
  onConnected: () => void;
};

export type AddOptions = {
  /** How many clusters wait for the image: what most wait for comes first. */
  weight: number;
};

/** BullMQ's priorities: 1 is first, this is last. */
const LAST_PRIORITY = 2_097_152;
/** How long one call may take, beyond the limit of its single commands: BullMQ first waits for its connection. */
const CALL_LIMIT_MS = 15_000;
/** How long the queue is given to say good-bye to Redis. */
const CLOSE_LIMIT_MS = 2_000;

/** The producer side. Redis holds only work in flight; emptied, the hub adds again what is not settled. */
export class ImageQueue {
  readonly #url: string;
  readonly #queue: Queue<ImageJob, ImageResult>;
  readonly #events: QueueEvents;
  readonly #connections: readonly RedisHealth[];

  constructor(url: string, listener: ImageQueueListener) {
    this.#url = url;
    const commands = connectRedis(url, { blocking: false });
    const blocking = connectRedis(url, { blocking: true });
    this.#connections = [commands, blocking];
    this.#queue = new Queue(IMAGE_QUEUE, { connection: commands.redis, prefix: QUEUE_PREFIX });
    this.#events = new QueueEvents(IMAGE_QUEUE, { connection: blocking.redis, prefix: QUEUE_PREFIX });
    // Errors of the connection are kept by connectRedis for /readyz; without a listener they would end the process.
    this.#queue.on('error', ignoreConnectionError);
    this.#events.on('error', ignoreConnectionError);
    this.#events.on('completed', ({ jobId, returnvalue }) => {
      listener.onResult(jobId, readResult(returnvalue) ?? failedWorker('its answer is no answer'));
    });
    this.#events.on('failed', ({ jobId, failedReason }) => listener.onResult(jobId, failedWorker(failedReason)));
    this.#events.on('progress', ({ jobId, data }) => {
      const step = readStep(data);
      if (step !== undefined) listener.onStep(jobId, step);
    });
    commands.redis.on('ready', () => listener.onConnected());
  }

  /** Why the queue cannot be used now. */
  problems(): string[] {
    return [...new Set(this.#connections.flatMap(({ problem }) => problem() ?? []))];
  }

  /**
   * Adds the job unless one of the name is waiting or running. An ended job removes itself.
   * @throws QueueUnreachableError, at once while Redis is known to be away.
   */
  async add(job: ImageJob, { weight }: AddOptions, signal: AbortSignal): Promise<void> {
    const priority = Math.max(1, LAST_PRIORITY - Math.max(1, weight));
    const ended = { attempts: 1, removeOnComplete: true, removeOnFail: true };
    await this.#call(() => this.#queue.add('image', job, { jobId: job.name, priority, ...ended }), signal);
  }

  /** Takes a waiting job out; a running one finds its ModuleImage gone. @throws QueueUnreachableError as `add`. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#call(() => this.#queue.remove(name), signal);
  }

  /** Ends within seconds even when Redis does not answer. */
  async close(): Promise<void> {
    await atMost(CLOSE_LIMIT_MS, Promise.allSettled([this.#events.close(), this.#queue.close()]));
    for (const connection of this.#connections) connection.disconnect(); // what still waits for an answer ends with it
  }

  async #call(send: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    const [problem] = this.problems();
    if (problem !== undefined) throw new QueueUnreachableError(this.#url, { cause: problem });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]);
    try {
      await Promise.race([send(), aborted(limit).then(() => limit.throwIfAborted())]);
    } catch (err) {
      signal.throwIfAborted();
      throw new QueueUnreachableError(this.#url, { cause: err });
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function failedWorker(reason: string): ImageResult {
  return { outcome: 'Failed', reason: 'WorkerFailed', message: `the worker failed: ${reason}`, retry: 'backoff' };
}

function ignoreConnectionError(): void {
  // see ImageQueue's constructor
}
