import type { Readable } from 'node:stream';
import { HubError } from '@kmm-hub/api-types';
import { Agent, type Dispatcher, request as undiciRequest } from 'undici';
import { defaults } from './defaults.ts';
import { RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { isLoopbackHost, type Repository } from './reference.ts';

export type HttpOptions = {
  /** Hosts (with port) spoken to over plain HTTP; loopback always is. */
  insecureHosts?: ((host: string) => boolean) | undefined;
  /** Hosts whose certificate is not checked (`registryTLS.insecureSkipTLSVerify`). */
  unverifiedHosts?: ((host: string) => boolean) | undefined;
  /** PEM of the only certificate authorities to trust; undefined = those of the system. */
  ca?: string | undefined;
  timeoutMs?: number | undefined;
};

export type HttpRequest = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  headers?: Record<string, string>;
  /** Called once per try. */
  body?: () => Buffer | Readable | Promise<Readable>;
  signal: AbortSignal;
};

export type HttpResponse = Dispatcher.ResponseData;

/** One HTTP exchange at a time with registries; holds the connections. */
export type HttpExchange = {
  baseUrl(repository: Repository): URL;
  /** Follows redirects of GET and HEAD; the answer of any status, its body unread. Throws RegistryUnreachableError. */
  send(request: HttpRequest, authorization: string | undefined): Promise<HttpResponse>;
  close(): Promise<void>;
};

export function createHttpExchange(options: HttpOptions): HttpExchange {
  const timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
  // HTTP/1.1: a broken connection takes one transfer with it and not all
  const agentOf = (rejectUnauthorized: boolean) =>
    new Agent({
      allowH2: false,
      connect: { timeout: timeoutMs, rejectUnauthorized, ...(options.ca && { ca: options.ca }) },
    });
  const agents = { verified: agentOf(true), unverified: agentOf(false) };
  const isPlain = (host: string) => isLoopbackHost(host) || options.insecureHosts?.(host) === true;

  async function once(url: URL, request: HttpRequest, authorization: string | undefined): Promise<HttpResponse> {
    request.signal.throwIfAborted();
    const body = (await request.body?.()) ?? null;
    try {
      return await undiciRequest(url, {
        dispatcher: options.unverifiedHosts?.(url.host) ? agents.unverified : agents.verified,
        method: request.method,
        headers: { 'user-agent': 'kmm-hub', ...request.headers, ...(authorization && { authorization }) },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: request.signal,
      });
    } catch (cause) {
      throw transportError(url.host, cause, request.signal);
    }
  }

  return {
    baseUrl({ host, path }) {
      const server = host === 'docker.io' ? 'registry-1.docker.io' : host;
      return new URL(`${isPlain(host) ? 'http' : 'https'}://${server}/v2/${path}/`);
    },
    async send(request, authorization) {
      let url = request.url;
      for (let hop = 0; hop <= defaults.maxRedirects; hop += 1) {
        const sameOrigin = url.origin === request.url.origin; // storage behind a registry never sees its credentials
        const response = await once(url, request, sameOrigin ? authorization : undefined);
        const target = redirectTarget(response, url, request.method);
        if (target === undefined) return response;
        await response.body.dump();
        requireSafeRedirect(url, target, isPlain);
        url = target;
      }
      throw new RegistryRefusedError(`${request.url.host} redirects more than ${defaults.maxRedirects} times`);
    },
    async close() {
      await Promise.all([agents.verified.destroy(), agents.unverified.destroy()]);
    },
  };
}

/** What an aborted signal, a failing connection to `host`, or a failing source of an upload is thrown as. */
export function transportError(host: string, cause: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause });
  if (cause instanceof HubError) return cause;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  // Silence has cost its whole time-out already: the next try is the job queue's.
  const retryAfterMs = /TIMEOUT$/.test(String(code)) ? Number.POSITIVE_INFINITY : undefined;
  return new RegistryUnreachableError(`registry ${host} does not answer: ${code ?? message}`, { cause, retryAfterMs });
}

/** The whole body of an answer to `request`; RegistryRefusedError when it is longer than `limit` bytes. */
export async function readBounded(response: HttpResponse, request: HttpRequest, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > limit) break; // ends the stream as well
      chunks.push(chunk);
    }
  } catch (cause) {
    throw transportError(request.url.host, cause, request.signal);
  }
  if (sizeBytes > limit)
    throw new RegistryRefusedError(`registry ${request.url.host} answers with over ${limit} bytes`);
  return Buffer.concat(chunks);
}

/** A header that must be there at most once; the last value when it is there several times. */
export function headerOf(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}

/** A registry, or who sits between, must not lead us to weaker transport or to services that only trust this machine. */
function requireSafeRedirect(from: URL, target: URL, isPlain: (host: string) => boolean): void {
  if (target.protocol === 'http:' && from.protocol === 'https:' && !isPlain(target.host)) {
    throw new RegistryRefusedError(`${from.host} redirects from https to plain http`);
  }
  if (isLoopbackHost(target.host) && !isLoopbackHost(from.host)) {
    throw new RegistryRefusedError(`${from.host} redirects to a service of this machine`);
  }
}

function redirectTarget(response: HttpResponse, from: URL, method: HttpRequest['method']): URL | undefined {
  const location = headerOf(response, 'location');
  const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode);
  if (!isRedirect || location === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const target = URL.parse(location, from.href);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw new RegistryRefusedError(`${from.host} redirects to something that is not HTTP`);
  }
  return target;
}
