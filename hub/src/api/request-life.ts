import type { ServerResponse } from 'node:http';

/** For a whole answer to be taken; a client that reads more slowly is gone in all but name. */
export const ANSWER_LIMIT_MS = 60_000;

/** How long one request lives: until it is answered, its client goes away, its time is over, or the server stops. */
export class RequestLife {
  readonly #ended = new AbortController();
  readonly #response: ServerResponse;
  #timer: NodeJS.Timeout;

  constructor(response: ServerResponse, stopping: AbortSignal) {
    this.#response = response;
    this.#timer = this.#endIn(ANSWER_LIMIT_MS);
    const stop = () => this.#end();
    stopping.addEventListener('abort', stop, { once: true });
    response.once('close', () => {
      clearTimeout(this.#timer);
      stopping.removeEventListener('abort', stop);
      this.#ended.abort();
    });
  }

  /** Aborts at the end; whatever the request holds is let go then. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Gives it this long from now on. */
  extend(limitMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#ended.signal.aborted) this.#timer = this.#endIn(limitMs);
  }

  #endIn(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#end(), limitMs);
  }

  #end(): void {
    this.#response.destroy(); // its close does the rest
  }
}
