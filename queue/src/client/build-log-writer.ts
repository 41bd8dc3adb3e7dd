import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { atMost } from './at-most.ts';
import { type BuildLogEntry, buildLogKey, buildLogLimits, fieldsOf, readEntry } from './build-log.ts';
import { connectRedis, type RedisHealth } from './redis-connection.ts';

/** Entries a round trip. */
const BATCH = 100;
/** How long the end of a job waits for its last lines. */
const FLUSH_LIMIT_MS = 5_000;

/** Where a worker puts its build logs, over one connection of its own. */
export class BuildLogs implements Disposable {
  readonly #connection: RedisHealth;
  readonly #log: Logger;

  constructor(redisUrl: string, log: Logger) {
    this.#connection = connectRedis(redisUrl, { blocking: false });
    this.#log = log;
  }

  /** The log of one job of the image; goes on behind what earlier attempts wrote. */
  open(name: string): BuildLogWriter {
    return new BuildLogWriter({ redis: this.#connection.redis, name, log: this.#log });
  }

  [Symbol.dispose](): void {
    this.#connection.disconnect();
  }
}

type Pending = { kind: BuildLogEntry['kind']; text: string };
/** What Redis holds of the log: ids and sizes, oldest first. */
type Kept = { id: string; bytes: number }[];

/**
 * Writes the log of one job while it runs, in order and in the background. It never fails a build and never holds one up: while
 * Redis is away the newest lines wait, in bounds, and those of a batch that was refused are lost. Lines must be free of
 * secrets already.
 */
export class BuildLogWriter {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #log: Logger;
  #pending: Pending[] = [];
  #sending: Promise<void> | undefined;
  #kept: Kept | undefined;

  constructor({ redis, name, log }: { redis: Redis; name: string; log: Logger }) {
    this.#redis = redis;
    this.#name = name;
    this.#log = log;
  }

  add(kind: BuildLogEntry['kind'], text: string): void {
    this.#pending.push({ kind, text: text.slice(0, buildLogLimits.lineCharacters) });
    if (this.#pending.length > buildLogLimits.entries) this.#pending.shift();
    this.#start();
  }

  /** Waits until everything is written, but not for long. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) this.#start();
    await atMost(FLUSH_LIMIT_MS, this.#sending ?? Promise.resolve());
  }

  #start(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(): Promise<void> {
    try {
      this.#kept ??= await this.#stored();
      while (this.#pending.length > 0) await this.#append(this.#kept, this.#pending.splice(0, BATCH));
    } catch (err) {
      this.#log.debug({ err, image: this.#name }, 'lines of a build log are lost'); // the next line tries again
    }
  }

  /** What earlier attempts left counts too. */
  async #stored(): Promise<Kept> {
    const entries = await this.#redis.xrange(buildLogKey(this.#name), '-', '+');
    return entries.map(readEntry).map(({ id, text }) => ({ id, bytes: Buffer.byteLength(text) }));
  }

  async #append(kept: Kept, batch: readonly Pending[]): Promise<void> {
    const key = buildLogKey(this.#name);
    const { entries, keepMs } = buildLogLimits;
    const commands = this.#redis.pipeline();
    for (const { kind, text } of batch) commands.xadd(key, 'MAXLEN', entries, '*', ...fieldsOf(kind, text));
    const answers = (await commands.pexpire(key, keepMs).exec()) ?? [];
    for (const [index, { text }] of batch.entries()) {
      const [err, id] = answers[index] ?? [];
      if (err) throw err;
      kept.push({ id: String(id), bytes: Buffer.byteLength(text) });
    }
    const first = dropOldest(kept);
    if (first !== undefined) await this.#redis.xtrim(key, 'MINID', first);
  }
}

/** Forgets the oldest until the rest is within the bytes; answers with the first id that stays, if any had to go. */
function dropOldest(kept: Kept): string | undefined {
  let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  let dropped = 0;
  while (total > buildLogLimits.bytes) {
    total -= kept[dropped]?.bytes ?? total;
    dropped += 1;
  }
  kept.splice(0, Math.max(dropped, kept.length - buildLogLimits.entries));
  return dropped === 0 ? undefined : kept[0]?.id;
}
