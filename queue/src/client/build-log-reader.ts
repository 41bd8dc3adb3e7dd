import { type BuildLogEntry, buildLogKey, buildLogLimits, readEntry } from './build-log.ts';
import { QueueUnreachableError } from './errors.ts';
import { connectRedis, type RedisHealth } from './redis-connection.ts';

/** How long one look at a quiet log takes. */
const IDLE_MS = 2_000;
/** Entries of one answer. */
const PAGE = 500;

/** Reads build logs. Following takes a connection of its own for each follower: bound their number. */
export class BuildLogReader implements Disposable {
  readonly #url: string;
  readonly #connection: RedisHealth;

  constructor(redisUrl: string) {
    this.#url = redisUrl;
    this.#connection = connectRedis(redisUrl, { blocking: false });
  }

  /** The newest `tail` entries of the image's log, oldest first; none when no log is kept. @throws QueueUnreachableError */
  async read(name: string, tail = buildLogLimits.entries): Promise<BuildLogEntry[]> {
    const problem = this.#connection.problem();
    if (problem !== undefined) throw new QueueUnreachableError(this.#url, { cause: problem });
    try {
      const entries = await this.#connection.redis.xrevrange(buildLogKey(name), '+', '-', 'COUNT', tail);
      return entries.map(readEntry).reverse();
    } catch (err) {
      throw new QueueUnreachableError(this.#url, { cause: err });
    }
  }

  /**
   * What is written behind the entry `after` (undefined: behind the beginning), as it comes; nothing at all whenever it was
   * quiet for two seconds, so that the caller can look whether anything may still come. Ends when the signal aborts.
   */
  async *follow(name: string, after: string | undefined, signal: AbortSignal): AsyncGenerator<BuildLogEntry[]> {
    if (signal.aborted) return;
    const connection = connectRedis(this.#url, { blocking: true });
    const stop = () => connection.disconnect(); // what waits for Redis fails with it
    signal.addEventListener('abort', stop, { once: true });
    try {
      yield* entriesBehind(connection, { key: buildLogKey(name), after: after ?? '0' });
    } catch (err) {
      if (!signal.aborted) throw new QueueUnreachableError(this.#url, { cause: err });
    } finally {
      signal.removeEventListener('abort', stop);
      connection.disconnect();
    }
  }

  [Symbol.dispose](): void {
    this.#connection.disconnect();
  }
}

async function* entriesBehind(
  { redis }: RedisHealth,
  { key, after }: { key: string; after: string },
): AsyncGenerator<BuildLogEntry[]> {
  let last = after;
  for (;;) {
    const answer = await redis.xread('COUNT', PAGE, 'BLOCK', IDLE_MS, 'STREAMS', key, last);
    const entries = (answer?.[0]?.[1] ?? []).map(readEntry);
    last = entries.at(-1)?.id ?? last;
    yield entries;
  }
}
