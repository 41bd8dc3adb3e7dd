import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { type ProxyOptions, proxyFor } from './proxy.ts';
import { guardedLookup } from './safe-target.ts';

export type ConnectionOptions = {
  /** Hosts whose certificate is not checked (`registryTLS.insecureSkipTLSVerify`). */
  unverifiedHosts?: ((host: string) => boolean) | undefined;
  /** PEM of the only certificate authorities to trust; undefined = those of the system. */
  ca?: string | undefined;
  /** Through which proxy to go; undefined = none. Loopback never goes through a proxy. */
  proxy?: ProxyOptions | undefined;
  /** How a name becomes an address; undefined = as the system does. */
  lookup?: LookupFunction | undefined;
};

/** `guarded`: somebody else named the host, so it must not resolve to this machine. */
export type Destination = { url: URL; guarded: boolean };

/** Holds one pool of connections for each kind of destination. */
export type Connections = {
  dispatcherFor(destination: Destination): Dispatcher;
  close(): Promise<void>;
};

type Kind = { unverified: boolean; guarded: boolean; proxy: URL | undefined };

export function createConnections(options: ConnectionOptions & { timeoutMs: number }): Connections {
  const pools = new Map<string, Dispatcher>();
  const open = ({ unverified, guarded, proxy }: Kind): Dispatcher => {
    const lookup = guarded ? guardedLookup(options.lookup) : options.lookup;
    const trust = { timeout: options.timeoutMs, ...(options.ca && { ca: options.ca }) };
    const connect = { ...trust, rejectUnauthorized: !unverified, ...(lookup && { lookup }) };
    // HTTP/1.1: a broken connection takes one transfer with it and not all
    if (proxy === undefined) return new Agent({ allowH2: false, connect });
    return new ProxyAgent({ uri: proxy.href, allowH2: false, requestTls: connect, proxyTls: trust });
  };
  return {
    dispatcherFor({ url, guarded }) {
      const unverified = options.unverifiedHosts?.(url.host) === true;
      const proxy = options.proxy && proxyFor(url, options.proxy);
      const key = JSON.stringify([unverified, guarded, proxy?.href]);
      const pool = pools.get(key) ?? open({ unverified, guarded, proxy });
      pools.set(key, pool);
      return pool;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
