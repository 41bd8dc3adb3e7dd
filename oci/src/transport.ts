import { type Access, type Authorizer, createAuthorizer } from './authorizer.ts';
import type { RegistryAuth } from './credentials.ts';
import { defaults } from './defaults.ts';
import { ImageNotFoundError, RegistryDeniedError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import {
  createHttpExchange,
  discard,
  type HttpExchange,
  type HttpOptions,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  readBounded,
} from './http-exchange.ts';
import { withRetries } from './retry.ts';

export type TransportOptions = HttpOptions & {
  auth?: RegistryAuth | undefined;
  /** See defaults.retryDelayMs. */
  retryDelayMs?: number | undefined;
};

/** `what` is the thing asked for, as an error names it, e.g. `quay.io/team/kmod:6.1`. */
export type RegistryRequest = HttpRequest & { access: Access; what: string };

/** Registry requests with authentication. Answers are 2xx (or a 404 where `find` is used); all else is a typed error. */
export type Transport = {
  baseUrl: HttpExchange['baseUrl'];
  requireSafeTarget: HttpExchange['requireSafeTarget'];
  /** One request that may safely be repeated; throws the errors of errors.ts. */
  send(request: RegistryRequest): Promise<HttpResponse>;
  /** Like `send`, without repetition. */
  sendOnce(request: RegistryRequest): Promise<HttpResponse>;
  /** Like `send`; undefined for a 404. */
  find(request: RegistryRequest): Promise<HttpResponse | undefined>;
  /** Repeats more than one request can tell to be safe, under the same rules as `send`. */
  repeat<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): Promise<void>;
};

export function createTransport(options: TransportOptions): Transport {
  const http = createHttpExchange(options);
  const authorizer = createAuthorizer(http, options.auth ?? (() => undefined));
  const sendOnce = async (request: RegistryRequest) => accept(await authorized(http, authorizer, request), request);
  const delayMs = options.retryDelayMs ?? defaults.retryDelayMs;
  const repeat: Transport['repeat'] = (operation, signal) => withRetries(operation, { signal, delayMs });
  const send = (request: RegistryRequest) => repeat(() => sendOnce(request), request.signal);
  return {
    baseUrl: http.baseUrl,
    requireSafeTarget: http.requireSafeTarget,
    send,
    sendOnce,
    repeat,
    async find(request) {
      try {
        return await send(request);
      } catch (err) {
        if (err instanceof ImageNotFoundError) return undefined;
        throw err;
      }
    },
    close: http.close,
  };
}

async function authorized(http: HttpExchange, authorizer: Authorizer, request: RegistryRequest): Promise<HttpResponse> {
  const { access, signal } = request;
  // An upload may continue on another host (its Location says where): what we know of the registry stays at the registry.
  const isRegistry = ({ origin }: URL) => origin === http.baseUrl(access.repository).origin;
  if (!isRegistry(request.url)) return http.send(request, undefined);
  const sent = await authorizer.headerFor(access, signal);
  const response = await http.send(request, sent);
  // Storage that the registry redirects to has no say in where our credentials go.
  if (response.statusCode !== 401 || !isRegistry(response.url)) return response;
  const answer = await authorizer.answer({ response, sent }, access, signal);
  if (answer === undefined) return response;
  await discard(response, request);
  return http.send(request, answer);
}

async function accept(response: HttpResponse, request: RegistryRequest): Promise<HttpResponse> {
  const { statusCode } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  const { what, url, access } = request;
  const code = await errorCode(response, request);
  const answer = `${what}: registry ${url.host} answers ${statusCode}${code}`;
  if (statusCode === 404) throw new ImageNotFoundError(what);
  if (statusCode === 401 || statusCode === 403) throw new RegistryDeniedError(`${answer} to ${access.action}`);
  if (statusCode === 429 || (statusCode >= 500 && statusCode !== 501)) {
    throw new RegistryUnreachableError(answer, { retryAfterMs: retryAfterMs(response) });
  }
  throw new RegistryRefusedError(answer, { status: statusCode });
}

/** The code of the distribution spec's error body, e.g. ` MANIFEST_INVALID`; its free text may hold anything and stays out. */
async function errorCode(response: HttpResponse, request: RegistryRequest): Promise<string> {
  try {
    const body = await readBounded(response, request, defaults.maxAnswerBytes);
    const code: unknown = JSON.parse(body.toString('utf8'))?.errors?.[0]?.code;
    return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? ` ${code}` : '';
  } catch {
    return ''; // the status alone decides; many proxies answer with a web page
  }
}

/** Retry-After in seconds (RFC 9110 §10.2.3); its form as a date is not used by registries. */
function retryAfterMs(response: HttpResponse): number | undefined {
  const seconds = Number(headerOf(response, 'retry-after'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
