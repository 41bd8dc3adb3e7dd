import { explain, HubError } from '@kmm-hub/api-types';

/** Redis does not answer, or refuses us. The URL's password is never shown. */
export class QueueUnreachableError extends HubError {
  override readonly name = 'QueueUnreachableError';
  readonly code = 'QueueUnreachable';
  readonly retry = 'backoff';
  readonly remedy = 'Check --redis (redis://:PASSWORD@HOST:PORT) and that Redis is up.';
  constructor(url: string, options: { cause: unknown }) {
    super(`Redis at ${withoutPassword(url)} cannot be used: ${explain(options.cause)}`, options);
  }
}

/** A worker's answer is not what workers answer. `where`: JSON pointer of the first part that is wrong. */
export class MalformedResultError extends HubError {
  override readonly name = 'MalformedResultError';
  readonly code = 'MalformedResult';
  readonly retry = 'backoff';
  readonly remedy =
    'See that only the hub and its workers can write to Redis, and that all are of one version; the image is tried again.';
  constructor(where: string) {
    super(`what Redis holds as the answer of a worker is none (at ${where.slice(0, 128)})`);
  }
}

/** A worker broke over a job instead of answering. */
export class WorkerFailedError extends HubError {
  override readonly name = 'WorkerFailedError';
  readonly code = 'WorkerFailed';
  readonly retry = 'backoff';
  readonly remedy = 'Look at the log of the worker; the image is tried again.';
  constructor(reason: string) {
    super(`the worker failed: ${reason}`);
  }
}

/** `redis://:secret@host:1` → `redis://host:1`. */
export function withoutPassword(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return 'the given address'; // not a URL: it may be a bare password
  }
}
