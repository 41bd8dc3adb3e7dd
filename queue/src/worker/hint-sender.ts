import { Controller } from '@kmm-hub/kube';
import { QueueEventsProducer } from 'bullmq';
import type { Logger } from 'pino';
import { atMost } from '../client/at-most.ts';
import { QueueUnreachableError } from '../client/errors.ts';
import { HINT_EVENT, IMAGE_QUEUE, QUEUE_PREFIX } from '../client/image-job.ts';
import { connectRedis, type RedisHealth } from '../client/redis-connection.ts';

const CLOSE_LIMIT_MS = 1_000;

/** Tells the hub, through Redis, which images to look at again. While Redis is away the names are kept, each once. */
export class HintSender implements AsyncDisposable {
  readonly #connection: RedisHealth;
  readonly #producer: QueueEventsProducer;
  readonly #controller: Controller;

  constructor(redisUrl: string, log: Logger) {
    this.#connection = connectRedis(redisUrl, { blocking: false });
    this.#producer = new QueueEventsProducer(IMAGE_QUEUE, { connection: this.#connection.redis, prefix: QUEUE_PREFIX });
    this.#producer.on('error', (err) => log.debug({ err }, 'queue error')); // kept for /readyz by connectRedis
    const reconcile = async (name: string) => {
      const problem = this.#connection.problem();
      if (problem !== undefined) throw new QueueUnreachableError(redisUrl, { cause: problem });
      await this.#producer.publishEvent({ eventName: HINT_EVENT, name });
      return undefined;
    };
    this.#controller = new Controller({ name: 'image-hints', reconcile, concurrency: 1, log });
  }

  hint(image: string): void {
    this.#controller.queue.add(image);
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#controller.run(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await atMost(CLOSE_LIMIT_MS, this.#producer.close());
    this.#connection.disconnect();
  }
}
