import { expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const hub = 'https://api.hub.example:6443';
const inCluster = 'https://172.30.0.1:443';

test.each<[string, [string, string], boolean]>([
  ['a server that nothing excludes', [hub, ''], true],
  ['a server that * excludes', [hub, '*'], false],
  ['a domain by its name', [hub, 'api.hub.example'], false],
  ['a subdomain', [hub, 'hub.example'], false],
  ['a subdomain by a leading dot', [hub, '.hub.example'], false],
  ['the domain itself, which a leading dot leaves out', ['https://hub.example', '.hub.example'], true],
  ['a domain that only ends alike', ['https://myhub.example', 'hub.example'], true],
  ['names whatever their case', ['https://API.Hub.example', 'HUB.EXAMPLE'], false],
  ['a server by name and port', [hub, 'hub.example:6443'], false],
  ['another port', [hub, 'hub.example:443'], true],
  ['an address in a CIDR, as OpenShift lists its service network', [inCluster, '.svc, 172.30.0.0/16'], false],
  ['an address outside of it', [inCluster, '10.0.0.0/8'], true],
  ['an address by itself', [inCluster, '172.30.0.1'], false],
  ['an IPv6 address in a CIDR', ['https://[fd02::1]:443', 'fd02::/112'], false],
  ['an IPv6 address with a port', ['https://[fd02::1]:443', '[fd02::1]:443'], false],
  ['entries that are no CIDR', [inCluster, '172.30.0.0/, x/y, 172.30.0.0/99'], true],
  ['loopback', ['https://127.0.0.1:6443', ''], false],
  ['localhost', ['https://localhost:6443', ''], false],
])('a proxy and %s', (_what, [server, noProxy], proxied) => {
  const settings = { httpsProxy: 'http://proxy:3128', noProxy };
  expect(proxyFor(server, settings)).toBe(proxied ? 'http://proxy:3128' : undefined);
});

test('each protocol has its own proxy, and one without a scheme is plain HTTP', () => {
  const settings = { httpProxy: 'plain:1', httpsProxy: 'https://secure:2' };
  expect(proxyFor('http://server.example', settings)).toBe('http://plain:1');
  expect(proxyFor('https://server.example', settings)).toBe('https://secure:2');
  expect(proxyFor('https://server.example', { httpProxy: 'plain:1' })).toBeUndefined();
});
