import { Queue, QueueEvents } from 'bullmq';
import { QueueUnreachableError } from './errors.ts';
import { IMAGE_QUEUE, type ImageJob, type ImageResult, type ImageStep, QUEUE_PREFIX } from './image-job.ts';
import { connectRedis } from './redis-connection.ts';

export type ImageQueueListener = {
  /** A job ended. Delivery is at most once: whoever listens asks again by adding the job again. */
  onResult: (name: string, result: ImageResult) => void;
  onStep: (name: string, step: ImageStep) => void;
};

/** The producer side. Redis holds only work in flight; emptied, the hub adds again what is not settled. */
export class ImageQueue {
  readonly #url: string;
  readonly #queue: Queue<ImageJob, ImageResult>;
  readonly #events: QueueEvents;
  readonly #problems: (() => string | undefined)[];

  constructor(url: string, listener: ImageQueueListener) {
    this.#url = url;
    const commands = connectRedis(url, { blocking: false });
    const blocking = connectRedis(url, { blocking: true });
    this.#problems = [commands.problem, blocking.problem];
    this.#queue = new Queue(IMAGE_QUEUE, { connection: commands.redis, prefix: QUEUE_PREFIX });
    this.#events = new QueueEvents(IMAGE_QUEUE, { connection: blocking.redis, prefix: QUEUE_PREFIX });
    // Errors of the connection are kept by connectRedis for /readyz; without a listener they would end the process.
    this.#queue.on('error', ignoreConnectionError);
    this.#events.on('error', ignoreConnectionError);
    this.#events.on('completed', ({ jobId, returnvalue }) => {
      listener.onResult(jobId, parseResult(returnvalue));
    });
    this.#events.on('failed', ({ jobId, failedReason }) => {
      listener.onResult(jobId, {
        outcome: 'Failed',
        generation: 0,
        reason: 'WorkerFailed',
        message: `the worker failed: ${failedReason}`,
        retry: 'backoff',
      });
    });
    this.#events.on('progress', ({ jobId, data }) => {
      if (typeof data === 'object' && 'step' in data) listener.onStep(jobId, data.step as ImageStep);
    });
  }

  /** Why the queue cannot be used now. */
  problems(): string[] {
    return this.#problems.flatMap((problem) => problem() ?? []);
  }

  /**
   * Adds the job unless one of the name is waiting or running. An ended job removes itself.
   * @throws QueueUnreachableError
   */
  async add(job: ImageJob): Promise<void> {
    try {
      await this.#queue.add('image', job, {
        jobId: job.name,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    } catch (err) {
      throw new QueueUnreachableError(this.#url, { cause: err });
    }
  }

  /** Takes a waiting job out; a running one finds its ModuleImage gone. */
  async remove(name: string): Promise<void> {
    try {
      const job = await this.#queue.getJob(name);
      if (job !== undefined && !(await job.isActive())) await job.remove();
    } catch (err) {
      throw new QueueUnreachableError(this.#url, { cause: err });
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#events.close(), this.#queue.close()]);
  }
}

function ignoreConnectionError(): void {
  // see ImageQueue's constructor
}

/** The event carries the returned value as JSON text. */
function parseResult(value: unknown): ImageResult {
  return (typeof value === 'string' ? JSON.parse(value) : value) as ImageResult;
}
