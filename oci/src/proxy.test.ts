import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { clientOf, lookupLoopback, named, serve } from '../test/http-server.ts';
import { type ProxyOptions, proxyFor } from './proxy.ts';

const httpProxy = 'http://plain.example:3128';
const httpsProxy = 'secure.example:3129';
const through = (noProxy: string): ProxyOptions => ({ httpProxy, httpsProxy, noProxy });

test.each<[string, ProxyOptions, string | undefined]>([
  ['http://quay.io/', {}, undefined],
  ['http://quay.io/', through(''), 'plain.example:3128'],
  ['https://quay.io/', through(''), 'secure.example:3129'],
  ['https://quay.io/', { httpProxy }, undefined],
  ['http://localhost:5000/', through(''), undefined],
  ['http://127.0.0.1:5000/', through(''), undefined],
  ['https://quay.io/', through('*'), undefined],
  ['https://quay.io/', through('example.com, QUAY.IO'), undefined],
  ['https://cdn.quay.io/', through('quay.io'), undefined],
  ['https://cdn.quay.io/', through('.quay.io'), undefined],
  ['https://cdn.quay.io/', through('*.quay.io'), undefined],
  ['https://quay.io/', through('.quay.io'), 'secure.example:3129'],
  ['https://notquay.io/', through('quay.io'), 'secure.example:3129'],
  ['https://quay.io:8443/', through('quay.io:8443'), undefined],
  ['https://quay.io/', through('quay.io:443'), undefined],
  ['https://quay.io/', through('quay.io:8443'), 'secure.example:3129'],
  ['https://10.1.2.3/', through('10.0.0.0/8'), undefined],
  ['https://11.1.2.3/', through('10.0.0.0/8'), 'secure.example:3129'],
  ['https://10.1.2.3/', through('10.1.2.3'), undefined],
  ['https://[fd00::7]/', through('fd00::/16'), undefined],
  ['https://[fd00::7]:5000/', through('[fd00::7]:5000'), undefined],
  ['https://quay.io/', through('10.0.0.0/99,/,:,x/y'), 'secure.example:3129'],
])('the proxy for %s under %o is %s', (url, options, want) => {
  expect(proxyFor(new URL(url), options)?.host).toBe(want);
});

test('a registry is reached through the proxy, which alone sees the proxy’s password', async () => {
  const registry = await serve((_request, response) => response.writeHead(404).end());
  const tunnels: (string | undefined)[] = [];
  const proxy = await serve((request, response) => {
    tunnels.push(request.headers['proxy-authorization']);
    response.writeHead(404).end();
  });
  proxy.server.on('connect', (request, socket) => {
    tunnels.push(request.headers['proxy-authorization']);
    const upstream = connect(registry.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.pipe(socket).pipe(upstream);
  });
  const client = clientOf({ ...named, proxy: { httpProxy: `http://user:pw@${proxy.host}` } });
  const signal = AbortSignal.timeout(60_000);
  expect(await client.resolve('registry.example:5000/kmod:1', signal)).toBeUndefined();
  expect(tunnels).toEqual([`Basic ${Buffer.from('user:pw').toString('base64')}`]);
  expect(registry.seen.concat(proxy.seen).filter(({ method }) => method === 'HEAD')).toHaveLength(1);
});

test('an unreachable proxy is an unreachable registry', async () => {
  const gone = await serve(() => undefined);
  gone.server.close();
  await once(gone.server, 'close');
  const proxy = { httpsProxy: `http://${gone.host}` };
  const client = clientOf({ lookup: lookupLoopback, proxy });
  const resolving = client.resolve('registry.example/kmod:1', AbortSignal.timeout(60_000));
  await expect(resolving).rejects.toMatchObject({ code: 'RegistryUnreachable' });
});
