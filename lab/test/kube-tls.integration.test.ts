import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import type { Duplex } from 'node:stream';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { configMap } from '@kmm-hub/api-types';
import { type Connection, createLogger, KubeClient, loadConnection, Reflector } from '@kmm-hub/kube';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { runCommand } from '../src/host/command.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { type Certificate, type CertificateAuthority, createAuthority } from '../src/servers/certificates.ts';

const { signal } = new AbortController();
const PATIENCE = { timeout: 120_000, interval: 20 };
const SERVER_NAMES = ['IP:127.0.0.1', 'DNS:localhost', 'DNS:hub.example'];
const PASSWORD = 'p@ss:w/rd';
const program = new URL('../../kube/test/asking-process.ts', import.meta.url).pathname;
let folder: string;
let old: Authority;
let next: Authority;
/** Of whom the server knows that the certificate is no longer good. */
let refused: string | undefined;
const server = createServer({ requestCert: true, rejectUnauthorized: false }, answer);
/** `host:port` of every tunnel that was asked for. */
const tunnels: string[] = [];
const proxy = withTunnels(createPlainServer());
const lockedProxy = withTunnels(createPlainServer(), `Basic ${btoa(`user:${PASSWORD}`)}`);
const secureProxy = withTunnels(createServer());

type Authority = CertificateAuthority & { serving: Certificate };

beforeAll(async () => {
  folder = await runFolder('test-tls');
  [old, next] = await Promise.all([createServing('old'), createServing('next')]);
  await Promise.all([server, proxy, lockedProxy, secureProxy].map(listening));
});
afterAll(async () => {
  for (const one of [server, proxy, lockedProxy, secureProxy]) {
    one.closeAllConnections();
    one.close();
  }
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  present(server, old.serving);
});
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function createServing(name: string): Promise<Authority> {
  const authority = await createAuthority(join(folder, name), name);
  return { ...authority, serving: await authority.issue({ commonName: name, serverNames: SERVER_NAMES }) };
}

function listening(one: NetServer): Promise<void> {
  return new Promise((resolve) => {
    one.listen(0, '127.0.0.1', resolve);
  });
}

const portOf = (one: NetServer) => (one.address() as AddressInfo).port;

/** From now on the server proves itself by this one. */
function present(one: Server, { certPem, keyPem }: Certificate): void {
  one.setSecureContext({ cert: certPem, key: keyPem });
  one.closeAllConnections();
}

/** An API server as far as it matters here: who asks, and a watch that has one more object each time it is resumed. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false; // each request meets the certificates of now
  const { pathname, searchParams } = new URL(request.url ?? '', 'https://server');
  const user = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
  if (user !== undefined && user === refused) response.writeHead(401).end();
  else if (searchParams.get('watch') === 'true') startWatch(response, searchParams.get('resourceVersion'));
  else response.end(pathname === '/user' ? user : 'fine');
}

function startWatch(response: ServerResponse, resumedFrom: string | null): void {
  const resourceVersion = String(Number(resumedFrom ?? 0) + 1);
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const event =
    resumedFrom === null
      ? { type: 'BOOKMARK', object: { metadata: { resourceVersion, annotations } } }
      : { type: 'ADDED', object: { metadata: { name: `m${resourceVersion}`, namespace: 'n', resourceVersion } } };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(`${JSON.stringify(event)}\n`);
}

/** Every name leads to this machine, so that none is looked up. */
function withTunnels<S extends NetServer>(one: S, authorization?: string): S {
  return one.on('connect', (request: IncomingMessage, socket: Duplex) => {
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization)
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    tunnels.push(String(request.url));
    const upstream = connect(Number(new URL(`http://${request.url}`).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    socket.on('error', () => upstream.destroy());
    return upstream.on('error', () => socket.destroy());
  });
}

/** A client that is closed when its test ends. */
function using(connection: Partial<Connection>): KubeClient {
  const credentials = async () => ({ ca: old.certPem });
  const client = new KubeClient({ server: `https://127.0.0.1:${portOf(server)}`, credentials, ...connection }, 'test');
  stops.push(() => client.close());
  return client;
}

const UNREACHABLE = { code: 'ApiServerUnreachable' };

describe('an authority', () => {
  test('that is rotated is read anew when the server is no longer trusted', async () => {
    let ca = old.certPem;
    let renewals = 0;
    const credentials: Connection['credentials'] = async (options) => {
      if (options?.renew) {
        renewals += 1;
        ca = next.certPem;
      }
      return { ca };
    };
    const client = using({ credentials });
    expect(await client.raw('/x', signal)).toBe('fine');
    present(server, next.serving);
    expect(await client.raw('/x', signal)).toBe('fine');
    expect(await client.raw('/x', signal)).toBe('fine');
    expect(renewals).toBe(1);
  });

  test('that is not ours vouches for no server', async () => {
    present(server, next.serving);
    await expect(using({}).raw('/x', signal)).rejects.toMatchObject(UNREACHABLE);
  });

  test.each<[string, (ca: string) => Promise<Connection>]>([
    ['a kubeconfig', async (ca) => loadConnection({ kubeconfig: await writeConfig('rotated', { ca }) })],
    ['the ca.crt of a pod', (ca) => inPod(ca)],
  ])('that is rotated in %s is taken by a client and a watch that run', async (_where, connectionWith) => {
    const client = using(await connectionWith(old.certPem));
    const { cache } = follow(client);
    expect(await client.raw('/x', signal)).toBe('fine');
    await vi.waitFor(() => expect(cache.synced).toBe(true), PATIENCE);
    present(server, next.serving);
    await expect(client.raw('/x', signal)).rejects.toMatchObject(UNREACHABLE);
    await connectionWith(next.certPem);
    await vi.waitFor(async () => expect(await client.raw('/x', signal)).toBe('fine'), PATIENCE);
    await vi.waitFor(() => expect(cache.size).toBe(1), PATIENCE);
  });
});

/** In place of what was there, at once, as the kubelet does it. */
async function put(file: string, text: string): Promise<string> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
  return file;
}

async function inPod(ca: string): Promise<Connection> {
  const files = { token: 'token', namespace: 'n', 'ca.crt': ca };
  await Promise.all(Object.entries(files).map(([name, text]) => put(join(folder, name), text)));
  const serviceHost = { serviceHost: '127.0.0.1', servicePort: String(portOf(server)) };
  return loadConnection({ ...serviceHost, serviceAccountFolder: folder });
}

type ConfigOptions = { ca?: string; cluster?: object; user?: object };

function writeConfig(name: string, { ca = old.certPem, cluster, user = {} }: ConfigOptions): Promise<string> {
  const of = {
    server: `https://127.0.0.1:${portOf(server)}`,
    'certificate-authority-data': btoa(ca),
    ...cluster,
  };
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: of }],
    users: [{ name: 'u', user }],
  };
  return put(join(folder, name), stringify(config));
}

function follow(client: KubeClient) {
  const log = createLogger({ process: 'test', level: 'silent', pretty: false });
  const timing = { backoff: { firstMs: 20, maxMs: 200 } };
  const reflector = new Reflector({ client, resource: configMap, log, timing });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await running;
  });
  return reflector;
}

test('an exec plug-in names us by a certificate, and is run again when the server refuses that one', async () => {
  const answerFile = join(folder, 'plug-in-answer');
  const giveCertificateOf = async (commonName: string) => {
    const { certPem, keyPem } = await old.issue({ commonName });
    const status = { clientCertificateData: certPem, clientKeyData: keyPem };
    await put(answerFile, JSON.stringify({ status }));
  };
  await giveCertificateOf('first');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/cat', args: [answerFile] };
  const client = using(await loadConnection({ kubeconfig: await writeConfig('exec', { user: { exec } }) }));
  expect(await client.raw('/user', signal)).toBe('first');
  await giveCertificateOf('second');
  expect(await client.raw('/user', signal)).toBe('first');
  refused = 'first';
  await vi.waitFor(async () => expect(await client.raw('/user', signal)).toBe('second'), PATIENCE);
});

describe('a proxy', () => {
  const hub = () => `https://hub.example:${portOf(server)}`;

  /** Asks the server over the proxy of a kubeconfig; gives the tunnels that were opened. */
  async function askOver(proxyUrl: string): Promise<string[]> {
    const from = tunnels.length;
    const cluster = { server: hub(), 'proxy-url': proxyUrl };
    const client = using(await loadConnection({ kubeconfig: await writeConfig('proxied', { cluster }) }));
    expect(await client.raw('/x', signal)).toBe('fine');
    return tunnels.slice(from);
  }

  test('carries the connection, and the server still proves itself to us', async () => {
    const through = { proxy: `http://127.0.0.1:${portOf(proxy)}`, server: hub() };
    expect(await using(through).raw('/x', signal)).toBe('fine');
    expect(tunnels.at(-1)).toBe(`hub.example:${portOf(server)}`);
    present(server, next.serving);
    await expect(using(through).raw('/x', signal)).rejects.toMatchObject(UNREACHABLE);
  });

  test('gets the password that its URL has, and a wrong one is told without it', async () => {
    const at = (password: string) => `http://user:${encodeURIComponent(password)}@127.0.0.1:${portOf(lockedProxy)}`;
    expect(await askOver(at(PASSWORD))).toEqual([`hub.example:${portOf(server)}`]);
    const failure = await askOver(at('guess')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ ...UNREACHABLE, message: expect.stringContaining('407') });
    expect(inspect(failure, { depth: null })).not.toContain('guess');
  });

  const overTls = () => `https://localhost:${portOf(secureProxy)}`;

  test('with TLS is trusted when the authority of the cluster vouches for it', async () => {
    present(secureProxy, old.serving);
    expect(await askOver(overTls())).toEqual([`hub.example:${portOf(server)}`]);
  });

  test('with TLS is trusted when the machine trusts it, and told nothing otherwise', async () => {
    present(secureProxy, next.serving);
    const from = tunnels.length;
    await expect(askOver(overTls())).rejects.toMatchObject(UNREACHABLE);
    expect(tunnels.slice(from)).toEqual([]);
    const machine = getCACertificates('default');
    setDefaultCACertificates([...machine, next.certPem]);
    stops.push(async () => setDefaultCACertificates(machine));
    expect(await askOver(overTls())).toEqual([`hub.example:${portOf(server)}`]);
  });
});

describe('a process', () => {
  const proxyUrl = () => `http://127.0.0.1:${portOf(proxy)}`;
  /** This machine, and no loopback address: those are never proxied. The kubeconfig says by which name the server is known. */
  const ANY = '0.0.0.0';

  test.each<[string, { host: string; env: () => Record<string, string>; over: string[] }]>([
    [
      'https_proxy goes over it',
      { host: 'hub.example', env: () => ({ https_proxy: proxyUrl() }), over: ['hub.example'] },
    ],
    ['HTTPS_PROXY goes over it', { host: ANY, env: () => ({ HTTPS_PROXY: proxyUrl() }), over: [ANY] }],
    [
      'NO_PROXY for its server goes straight there',
      { host: ANY, env: () => ({ HTTPS_PROXY: proxyUrl(), NO_PROXY: `.svc,${ANY}` }), over: [] },
    ],
    [
      'http_proxy alone goes straight to a server with TLS',
      { host: ANY, env: () => ({ http_proxy: proxyUrl() }), over: [] },
    ],
  ])('that has %s', async (_behaviour, { host, env, over }) => {
    const from = tunnels.length;
    const cluster = { server: `https://${host}:${portOf(server)}`, 'tls-server-name': 'hub.example' };
    const KUBECONFIG = await writeConfig('process', { cluster });
    expect(await runCommand(execPath, [program, '/x'], { env: { KUBECONFIG, ...env() } })).toBe('fine');
    expect(tunnels.slice(from)).toEqual(over.map((name) => `${name}:${portOf(server)}`));
  });
});
