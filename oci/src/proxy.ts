import { BlockList, isIP } from 'node:net';
import { isThisMachine } from './reference.ts';

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in the forms that Go's programs (so a cluster's) take. */
export type ProxyOptions = {
  /** For http:// addresses, e.g. `http://user:password@proxy.example:3128`; without a scheme http is meant. */
  httpProxy?: string | undefined;
  /** For https:// addresses. */
  httpsProxy?: string | undefined;
  /** Comma-separated: `*`, IP, CIDR, `example.com` (its subdomains too), `.example.com` (those only), each with `:port`. */
  noProxy?: string | undefined;
};

/**
 * The proxy for an address; undefined = go directly. The rules are those of golang.org/x/net/http/httpproxy, so that one
 * cluster-wide setting means the same here as in every other program: loopback is never sent to a proxy.
 */
export function proxyFor(url: URL, { httpProxy, httpsProxy, noProxy = '' }: ProxyOptions): URL | undefined {
  const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy;
  if (!proxy || isThisMachine(url.host)) return undefined;
  if (noProxy.split(',').some((rule) => isExempt(url, rule.trim().toLowerCase()))) return undefined;
  return new URL(/^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
}

function isExempt(url: URL, rule: string): boolean {
  if (rule === '') return false;
  if (rule === '*') return true;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (rule.includes('/')) return isInSubnet(host, rule);
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(rule) ?? [undefined, rule];
  if (port !== undefined && port !== portOf(url)) return false;
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*\./, '.');
  if (isIP(host) !== 0) return host === bare;
  return host.endsWith(bare.startsWith('.') ? bare : `.${bare}`) || host === bare;
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function isInSubnet(host: string, cidr: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const [family, ofHost] = [isIP(network), isIP(host)];
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || ofHost === 0 || !(bits <= (family === 6 ? 128 : 32))) return false;
  const subnet = new BlockList();
  subnet.addSubnet(network, bits, family === 6 ? 'ipv6' : 'ipv4');
  return subnet.check(host, ofHost === 6 ? 'ipv6' : 'ipv4');
}
