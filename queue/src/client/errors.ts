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

/** `redis://:secret@host:1` → `redis://host:1`. */
export function withoutPassword(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return 'the given address'; // not a URL: it may be a bare password
  }
}
