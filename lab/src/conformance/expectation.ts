import { isDeepStrictEqual } from 'node:util';
import { explain, HubError } from '@kmm-hub/api-types';
import { sleep } from '@kmm-hub/kube';

/** The agent did something else than a case expects. `expected` and `seen` are JSON. */
export class UnexpectedError extends HubError {
  override readonly name = 'UnexpectedError';
  readonly code = 'Unexpected';
  readonly retry = 'never';
  readonly remedy = 'Look at the objects of the case, and at the log of the agent.';
  readonly reason: string;
  readonly expected: string;
  readonly seen: string;
  constructor(reason: string, { expected, seen }: { expected: unknown; seen: unknown }, options?: ErrorOptions) {
    super(`${reason}: expected ${shown(expected)}, seen ${shown(seen)}`, options);
    this.reason = reason;
    this.expected = shown(expected);
    this.seen = shown(seen);
  }
}

export type Read = () => Promise<unknown>;

const POLL_MS = 150;
const MAX_SHOWN = 600;

/**
 * Reads until the value is as expected, as JSON has it: undefined is no value. A read that fails is tried again.
 * @throws UnexpectedError with what was seen last.
 */
export async function becomes(
  reason: string,
  { read, expected, limitMs }: { read: Read; expected: unknown; limitMs: number },
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + limitMs;
  const wanted = plain(expected);
  for (;;) {
    const seen = await attempt(read);
    signal.throwIfAborted();
    if (isDeepStrictEqual(seen, wanted)) return;
    if (performance.now() >= until) {
      throw new UnexpectedError(`${reason} (waited ${Math.round(limitMs / 1000)} s)`, { expected: wanted, seen });
    }
    await sleep(POLL_MS, signal);
  }
}

/** Reads for a while, and the value must be as expected every time. @throws UnexpectedError */
export async function stays(
  reason: string,
  { read, expected, forMs }: { read: Read; expected: unknown; forMs: number },
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + forMs;
  do {
    is(reason, await read(), expected);
    await sleep(POLL_MS, signal);
    signal.throwIfAborted();
  } while (performance.now() < until);
}

/** @throws UnexpectedError */
export function is(reason: string, seen: unknown, expected: unknown): void {
  const values = { expected: plain(expected), seen: plain(seen) };
  if (!isDeepStrictEqual(values.seen, values.expected)) throw new UnexpectedError(reason, values);
}

async function attempt(read: Read): Promise<unknown> {
  try {
    return plain(await read());
  } catch (err) {
    if (err instanceof HubError) return `(${explain(err)})`;
    throw err;
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
