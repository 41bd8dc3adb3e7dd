import type { Readable } from 'node:stream';
import { HubError } from '@kmm-hub/api-types';
import type { Dispatcher } from 'undici';
import { sleep } from './backoff.ts';
import type { ClientObserver } from './client-metrics.ts';
import type { Connection, Credentials } from './credentials.ts';
import { type ConnectionLimits, createDispatchers, type Dispatchers, type Fence, tlsIdentity } from './dispatchers.ts';
import { type ApiStatus, errorFor, MalformedAnswerError, UnreachableError } from './errors.ts';
import { retryAfterMs, throttledReadDelayMs } from './retry-after.ts';

export type Call = {
  method: Dispatcher.HttpMethod;
  /** With its query. */
  path: string;
  body?: unknown;
  /** Default application/json. */
  contentType?: string;
  fence?: Fence;
};

export const transportDefaults: ConnectionLimits = { connections: 64, timeoutMs: 30_000 };

type Sending = { signal: AbortSignal; over: keyof Dispatchers; silenceMs: number };

export type TransportOptions = Partial<ConnectionLimits> & { userAgent: string; observer?: ClientObserver | undefined };

/** Sends requests to one API server: credentials, connections, limits, and what an answer means. */
export class Transport {
  readonly server: string;
  readonly #connection: Connection;
  readonly #limits: ConnectionLimits;
  readonly #userAgent: string;
  readonly #host: string;
  readonly #observer: ClientObserver | undefined;
  #current: { identity: string; dispatchers: Dispatchers } | undefined;
  /** Connections with old credentials, until their last answer is in. */
  readonly #retired = new Set<Dispatchers>();

  constructor(connection: Connection, options: TransportOptions) {
    const { userAgent, observer, ...limits } = options;
    this.#connection = connection;
    this.server = connection.server;
    this.#host = connection.server.replace(/^https?:\/\//, '');
    this.#userAgent = userAgent;
    this.#observer = observer;
    this.#limits = { ...transportDefaults, ...limits };
  }

  /** The JSON of the answer, or its text when it is none. A read that is throttled is sent again, as late as the server asks. */
  async json<R>(call: Call, signal: AbortSignal): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#answer<R>(call, signal);
      } catch (err) {
        const delayMs = throttledReadDelayMs(err, { method: call.method, attempt });
        if (delayMs === undefined) throw err;
        await sleep(delayMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** The body of a GET that goes on for long; an error once nothing came for `silenceMs`. */
  async stream(path: string, silenceMs: number, signal: AbortSignal): Promise<Readable> {
    const response = await this.#send({ method: 'GET', path }, { signal, silenceMs, over: 'watches' });
    return response.body;
  }

  async close(): Promise<void> {
    const all = [...this.#retired, ...(this.#current === undefined ? [] : [this.#current.dispatchers])];
    this.#current = undefined;
    await Promise.all(all.flatMap(({ requests, watches }) => [requests.destroy(), watches.destroy()]));
  }

  async #answer<R>(call: Call, signal: AbortSignal): Promise<R> {
    signal.throwIfAborted();
    const { timeoutMs } = this.#limits;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(this.#tooLate()), timeoutMs);
    const stop = () => limit.abort(signal.reason);
    signal.addEventListener('abort', stop);
    try {
      const response = await this.#send(call, { signal: limit.signal, silenceMs: timeoutMs, over: 'requests' });
      return (await this.#read(call, response, limit.signal)) as R;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Sends once, and again only if new credentials may change the answer. */
  async #send(call: Call, sending: Sending): Promise<Dispatcher.ResponseData> {
    const credentials = await this.#connection.credentials();
    const { signal } = sending;
    let first: Dispatcher.ResponseData;
    try {
      first = await this.#sendWith(credentials, call, sending);
    } catch (err) {
      const renewed = isUntrusted(err) ? await this.#renewed(credentials) : undefined;
      if (renewed === undefined) throw this.#failure(err, signal);
      return this.#accepted(call, await this.#resend(renewed, call, sending));
    }
    if (first.statusCode !== 401) return this.#accepted(call, first);
    const renewed = await this.#renewed(credentials);
    if (renewed === undefined) return this.#accepted(call, first);
    await first.body.dump();
    return this.#accepted(call, await this.#resend(renewed, call, sending));
  }

  /** The credentials of now, or undefined when they are still the ones that were refused. */
  async #renewed(refused: Credentials): Promise<Credentials | undefined> {
    const now = await this.#connection.credentials({ renew: true });
    const same = now.authorization === refused.authorization && tlsIdentity(now) === tlsIdentity(refused);
    return same ? undefined : now;
  }

  async #resend(credentials: Credentials, call: Call, sending: Sending): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#sendWith(credentials, call, sending);
    } catch (err) {
      throw this.#failure(err, sending.signal);
    }
  }

  async #sendWith(credentials: Credentials, call: Call, sending: Sending): Promise<Dispatcher.ResponseData> {
    const { method, path, body, contentType = 'application/json', fence } = call;
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#userAgent };
    if (credentials.authorization !== undefined) headers.authorization = credentials.authorization;
    if (body !== undefined) headers['content-type'] = contentType;
    const answer = this.#dispatchers(credentials)[sending.over].request({
      origin: this.server,
      ...{ method, path, headers, fence },
      signal: sending.signal,
      bodyTimeout: sending.silenceMs,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return this.#observed(method, answer);
  }

  async #observed(method: string, answer: Promise<Dispatcher.ResponseData>): Promise<Dispatcher.ResponseData> {
    const started = performance.now();
    let code = '<error>';
    try {
      const response = await answer;
      code = String(response.statusCode);
      return response;
    } finally {
      this.#observer?.requested({ host: this.#host, method, code, durationMs: performance.now() - started });
    }
  }

  #dispatchers(credentials: Credentials): Dispatchers {
    const identity = tlsIdentity(credentials);
    if (this.#current?.identity === identity) return this.#current.dispatchers;
    if (this.#current !== undefined) this.#retire(this.#current.dispatchers);
    this.#current = { identity, dispatchers: createDispatchers(this.#connection, credentials, this.#limits) };
    return this.#current.dispatchers;
  }

  /** What is under way may end; nothing new starts. */
  #retire(old: Dispatchers): void {
    this.#retired.add(old);
    void Promise.allSettled([old.requests.close(), old.watches.close()]).then(() => this.#retired.delete(old));
  }

  async #accepted(call: Call, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    if (response.statusCode < 300) return response;
    throw errorFor(requestOf(call), response.statusCode, await refusalOf(response));
  }

  async #read(call: Call, response: Dispatcher.ResponseData, signal: AbortSignal): Promise<unknown> {
    let text: string;
    try {
      text = await response.body.text();
    } catch (err) {
      throw this.#failure(err, signal);
    }
    if (!isJson(response)) return text;
    try {
      return JSON.parse(text);
    } catch (err) {
      throw new MalformedAnswerError(requestOf(call), { cause: err });
    }
  }

  /** Who aborted says why; everything else that is not typed yet is a connection that failed. */
  #failure(err: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return err instanceof HubError ? err : new UnreachableError(this.server, { cause: err });
  }

  #tooLate(): UnreachableError {
    const cause = new Error(`no whole answer within ${this.#limits.timeoutMs / 1000} s`);
    return new UnreachableError(this.server, { cause });
  }
}

/** Verb and path; the query may hold a continue token of a thousand characters. */
function requestOf({ method, path }: Call): string {
  return `${method} ${path.slice(0, 300)}`;
}

/** The server's certificate was refused by us, or ours by the server (Node's and OpenSSL's codes). */
function isUntrusted(err: unknown): boolean {
  return err instanceof Error && 'code' in err && /CERT|ISSUER|SIGNATURE|^ERR_SSL|^ERR_TLS/.test(String(err.code));
}

async function refusalOf(response: Dispatcher.ResponseData): Promise<ApiStatus & { retryAfterMs: number }> {
  const wait = { retryAfterMs: retryAfterMs(response.headers) };
  let text = '';
  try {
    text = await response.body.text();
    return isJson(response)
      ? { ...(JSON.parse(text) as ApiStatus), ...wait }
      : { message: text.trim().slice(0, 1024), ...wait };
  } catch {
    return { message: text.trim().slice(0, 1024), ...wait }; // cut, or no JSON after all: the status still is the answer
  }
}

function isJson(response: Dispatcher.ResponseData): boolean {
  return String(response.headers['content-type'] ?? '').startsWith('application/json');
}
