import { UsageError } from '@kmm-hub/api-types';
import { Redis } from 'ioredis';

export type RedisHealth = {
  redis: Redis;
  /** Why Redis cannot be used now; undefined while it can. */
  problem(): string | undefined;
  /** Ends this connection at once, and within MAX_RECONNECT_MS those that BullMQ made from it. Waiting commands fail. */
  disconnect(): void;
};

/** How long one command may take before it fails; a blocking read of the queue is exempt. */
const COMMAND_TIMEOUT_MS = 10_000;
const MAX_RECONNECT_MS = 2_000;

/**
 * Connects, and connects again for ever; the reason of a failure is kept for /readyz instead of being thrown.
 * `blocking`: the connection waits for jobs, so its commands have no limit (BullMQ asks for that).
 */
export function connectRedis(url: string, { blocking }: { blocking: boolean }): RedisHealth {
  if (!/^rediss?:\/\//.test(url)) {
    throw new UsageError('--redis is not a Redis URL', 'Give it as redis://:PASSWORD@HOST:PORT or rediss://….');
  }
  let problem: string | undefined = 'not connected yet';
  let ended = false;
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    // BullMQ duplicates the connection with its options, and does not end a copy that is not connected
    retryStrategy: (times) => (ended ? null : Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(times, 10))),
    ...(!blocking && { commandTimeout: COMMAND_TIMEOUT_MS }),
  });
  redis.on('error', (err: Error) => {
    problem = err.message || err.name;
  });
  redis.on('ready', () => {
    problem = undefined;
  });
  redis.on('close', () => {
    problem ??= 'connection closed';
  });
  const disconnect = () => {
    ended = true;
    redis.disconnect();
  };
  return { redis, problem: () => problem && `Redis: ${problem}`, disconnect };
}
