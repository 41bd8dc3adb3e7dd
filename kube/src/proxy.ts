import { BlockList, isIP } from 'node:net';

/** The three variables of the environment, as most programs read them. */
export type ProxySettings = { httpProxy?: string; httpsProxy?: string; noProxy?: string };

/**
 * The URL of the proxy that leads to `server`, or undefined for a direct connection. The rules are those of Go's
 * golang.org/x/net/http/httpproxy, which every other program in the cluster follows: loopback is never proxied; NO_PROXY is
 * a comma-separated list of "*", IP addresses, CIDRs, and domains (a domain counts for its subdomains, one with a leading
 * dot for these alone), each with an optional port.
 */
export function proxyFor(server: string, { httpProxy, httpsProxy, noProxy = '' }: ProxySettings): string | undefined {
  const url = new URL(server);
  const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy;
  if (!proxy) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isLoopback(host)) return undefined;
  const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase());
  if (entries.some((entry) => entry !== '' && excludes(entry, host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isWithin(host, entry);
  const [, bracketed, plain, wantedPort] = /^(?:\[(.+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const name = (bracketed ?? plain ?? entry).replace(/^\*\./, '.');
  if (isIP(name) !== 0 || isIP(host) !== 0) return name === host;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

/** An entry that is no CIDR excludes nothing: a slip in NO_PROXY must not keep a process from starting. */
function isWithin(host: string, cidr: string): boolean {
  const [address = '', length = ''] = cidr.split('/');
  const family = isIP(address);
  const bits = Number(length);
  if (family === 0 || family !== isIP(host) || length === '' || !(bits >= 0 && bits <= (family === 4 ? 32 : 128)))
    return false;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
