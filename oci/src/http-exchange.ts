import type { Readable } from 'node:stream';
import { HubError } from '@kmm-hub/api-types';
import { type Dispatcher, request as undiciRequest } from 'undici';
import { type ConnectionOptions, createConnections, type Destination } from './connections.ts';
import { defaults } from './defaults.ts';
import { RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { isLoopbackHost, isThisMachine, type Repository } from './reference.ts';
import { requireSafeTarget } from './safe-target.ts';

export type HttpOptions = ConnectionOptions & {
  /** Hosts (with port) spoken to over plain HTTP; loopback always is. */
  insecureHosts?: ((host: string) => boolean) | undefined;
  /** Longest silence of a registry, see defaults.timeoutMs. */
  timeoutMs?: number | undefined;
  /** Longest duration of one exchange, its body included, see defaults.transferTimeoutMs. */
  transferTimeoutMs?: number | undefined;
};

export type HttpRequest = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  /** The address whose answer named `url`: its host then may not resolve to this machine. undefined = we made it. */
  namedBy?: URL | undefined;
  headers?: Record<string, string>;
  /** Called once per try. */
  body?: () => Buffer | Readable | Promise<Readable>;
  signal: AbortSignal;
};

/** `url` is where the answer came from, after redirects. */
export type HttpResponse = Dispatcher.ResponseData & { url: URL };

/** One HTTP exchange at a time with registries; holds the connections. */
export type HttpExchange = {
  baseUrl(repository: Repository): URL;
  /** Throws RegistryRefusedError when `from` must not lead us to `target`; to be asked before `namedBy` is used. */
  requireSafeTarget(from: URL, target: URL): void;
  /**
   * Follows redirects of GET and HEAD; the answer of any status, its body unread. Throws RegistryUnreachableError, and
   * RegistryRefusedError when a server leads us to where it must not.
   */
  send(request: HttpRequest, authorization: string | undefined): Promise<HttpResponse>;
  close(): Promise<void>;
};

export function createHttpExchange(options: HttpOptions): HttpExchange {
  const { timeoutMs = defaults.timeoutMs, transferTimeoutMs = defaults.transferTimeoutMs } = options;
  const connections = createConnections({ ...options, timeoutMs });
  const isPlain = (host: string) => isLoopbackHost(host) || options.insecureHosts?.(host) === true;

  async function once(to: Destination, request: HttpRequest, authorization: string | undefined): Promise<HttpResponse> {
    request.signal.throwIfAborted();
    const body = (await request.body?.()) ?? null;
    try {
      const response = await undiciRequest(to.url, {
        dispatcher: connections.dispatcherFor(to),
        method: request.method,
        headers: { 'user-agent': 'kmm-hub', ...request.headers, ...(authorization && { authorization }) },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(transferTimeoutMs)]),
      });
      return Object.assign(response, { url: to.url });
    } catch (cause) {
      throw transportError(to.url.host, cause, request.signal);
    }
  }

  return {
    baseUrl({ host, path }) {
      const server = host === 'docker.io' ? 'registry-1.docker.io' : host;
      return new URL(`${isPlain(host) ? 'http' : 'https'}://${server}/v2/${path}/`);
    },
    requireSafeTarget: (from, target) => requireSafeTarget(from, target, isPlain),
    async send(request, authorization) {
      const origin = request.namedBy ?? request.url;
      let { url } = request;
      for (let hop = 0; hop <= defaults.maxRedirects; hop += 1) {
        const guarded = url.host !== origin.host && !isThisMachine(origin.host);
        const sameOrigin = url.origin === request.url.origin; // storage behind a registry never sees its credentials
        const response = await once({ url, guarded }, request, sameOrigin ? authorization : undefined);
        const target = redirectTarget(response, request.method);
        if (target === undefined) return response;
        await discard(response, request);
        requireSafeTarget(url, target, isPlain);
        url = target;
      }
      throw new RegistryRefusedError(`${request.url.host} redirects more than ${defaults.maxRedirects} times`);
    },
    close: connections.close,
  };
}

/** What an aborted signal, a failing connection to `host`, or a failing source of an upload is thrown as. */
export function transportError(host: string, cause: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause });
  if (cause instanceof HubError) return cause;
  const { code, message, name } = cause as { code?: unknown; message?: unknown; name?: unknown };
  const tooSlow = name === 'TimeoutError'; // the limit of the whole transfer, or of reading an answer
  // Silence has cost its whole time-out already: the next try is the job queue's.
  const retryAfterMs = tooSlow || /TIMEOUT$/.test(String(code)) ? Number.POSITIVE_INFINITY : undefined;
  const what = tooSlow ? 'does not finish its answer' : `does not answer: ${code ?? message}`;
  return new RegistryUnreachableError(`registry ${host} ${what}`, { cause, retryAfterMs });
}

/**
 * The whole body of an answer to `request`; RegistryRefusedError when it is longer than `limit` bytes,
 * RegistryUnreachableError when it takes longer than defaults.answerTimeoutMs.
 */
export async function readBounded(response: HttpResponse, request: HttpRequest, limit: number): Promise<Buffer> {
  const { body } = response;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const tooLate = () => body.destroy(new DOMException('the answer is not complete', 'TimeoutError'));
  const timer = setTimeout(tooLate, defaults.answerTimeoutMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > limit) break; // ends the stream as well
      chunks.push(chunk);
    }
  } catch (cause) {
    throw transportError(response.url.host, cause, request.signal);
  } finally {
    clearTimeout(timer);
  }
  if (sizeBytes > limit)
    throw new RegistryRefusedError(`registry ${request.url.host} answers with over ${limit} bytes`);
  return Buffer.concat(chunks);
}

/** Reads what nobody wants to the end, within the limits of an answer, so that the connection can be used again. */
export async function discard(response: HttpResponse, request: HttpRequest): Promise<void> {
  try {
    await readBounded(response, request, defaults.maxAnswerBytes);
  } catch {
    request.signal.throwIfAborted(); // else the connection is gone, and what we asked for stood in the head
  }
}

/** A header that must be there at most once; the last value when it is there several times. */
export function headerOf(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}

function redirectTarget(response: HttpResponse, method: HttpRequest['method']): URL | undefined {
  const location = headerOf(response, 'location');
  const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode);
  if (!isRedirect || location === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const target = URL.parse(location, response.url.href);
  if (target === null) throw new RegistryRefusedError(`${response.url.host} redirects to something that is no address`);
  return target;
}
