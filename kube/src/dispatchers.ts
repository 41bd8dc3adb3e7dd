import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Connection, Credentials } from './credentials.ts';

/** Throws when this process may not write any more; asked at the moment a request goes to its socket, not before. */
export type Fence = () => void;

/** The connections to one API server under one set of TLS credentials. */
export type Dispatchers = { requests: Dispatcher; watches: Dispatcher };

export type ConnectionLimits = {
  /** Connections for requests that are no watches; a request over it waits. */
  connections: number;
  /** Limit for one request that is no watch, and for the headers of a watch. */
  timeoutMs: number;
};

/** The server or the network may drop an idle connection sooner than we notice; a kube-apiserver keeps it for 90 s. */
const KEEP_ALIVE_MS = 60_000;
const CONNECT_LIMIT_MS = 10_000;

/**
 * Watches have connections of their own, so that they never keep requests waiting. HTTP/1.1, since then a broken
 * connection takes one watch or one request with it and not all.
 */
export function createDispatchers(
  connection: Connection,
  credentials: Credentials,
  { connections, timeoutMs }: ConnectionLimits,
): Dispatchers {
  const tls = {
    ...(credentials.ca !== undefined && { ca: credentials.ca }),
    ...credentials.clientCertificate,
    ...(connection.tlsServerName !== undefined && { servername: connection.tlsServerName }),
    rejectUnauthorized: !connection.skipTlsVerify,
  };
  const shared = { allowH2: false, headersTimeout: timeoutMs, keepAliveTimeout: KEEP_ALIVE_MS };
  const dispatcher = (limit: { connections?: number }) =>
    connection.proxy === undefined
      ? new Agent({ ...shared, ...limit, connect: { ...tls, timeout: CONNECT_LIMIT_MS } })
      : new ProxyAgent({
          ...shared,
          ...limit,
          uri: connection.proxy,
          requestTls: tls,
          ...(connection.proxy.startsWith('https:') && { proxyTls: proxyTls(credentials) }),
          connectTimeout: CONNECT_LIMIT_MS,
        });
  return { requests: dispatcher({ connections }).compose(fenced), watches: dispatcher({}) };
}

/**
 * client-go takes the cluster's authority alone for a proxy, other programs those of the machine: either may vouch for one.
 * The API server behind it is still judged by the cluster's.
 */
function proxyTls({ ca }: Credentials) {
  if (ca === undefined) return { allowH2: false };
  return {
    allowH2: false,
    secureContext: createSecureContext({ ca: [...getCACertificates(), ...getCACertificates('system'), ca] }),
  };
}

/** What a dispatcher must be rebuilt for. A new token is not among it: that is a header of each request. */
export function tlsIdentity({ ca = '', clientCertificate }: Credentials): string {
  return [ca, clientCertificate?.cert ?? '', clientCertificate?.key ?? ''].join('\0');
}

/** A request may wait for a free connection for long, so its fence is asked when undici is about to write it. */
function fenced(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => {
    const { fence } = options as { fence?: Fence };
    return dispatch(options, fence === undefined ? handler : fencedHandler(handler, fence));
  };
}

function fencedHandler(handler: Dispatcher.DispatchHandler, fence: Fence): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      fence();
      handler.onRequestStart?.(controller, context);
    },
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}
