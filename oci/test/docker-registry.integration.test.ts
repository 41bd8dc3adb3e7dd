import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
  RegistryDeniedError,
} from '../src/index.ts';
import { registryUser, startDockerRegistry } from './docker-registry.ts';
import { clientOf, lookupLoopback, serve } from './http-server.ts';
import { layerOf, pushFixture } from './image-fixture.ts';
import { registryConformance } from './registry-conformance.ts';
import { startTokenServer } from './token-server.ts';
import { startUnderTest } from './under-test.ts';

registryConformance('docker-registry, open', () => startUnderTest({}));
registryConformance('docker-registry, basic auth', () => startUnderTest({ basicAuth: true }));
registryConformance('docker-registry, TLS', () => startUnderTest({ tls: true }));
registryConformance('docker-registry, TLS and basic auth', () => startUnderTest({ tls: true, basicAuth: true }));
registryConformance('docker-registry, tokens with scopes', () => startUnderTest({ tokenAuth: true }));

test.each([
  ['without a credential', undefined],
  ['with a wrong password', { username: 'hub', password: 'wrong' }],
])('docker-registry denies a caller %s', async (_case, credentials) => {
  await using server = await startDockerRegistry({ basicAuth: true });
  const client = createRegistryClient({ auth: () => credentials });
  const resolving = client.resolve(`${server.host}/kmod:1`, AbortSignal.timeout(60_000));
  await expect(resolving).rejects.toBeInstanceOf(RegistryDeniedError);
  await client.close();
});

describe('docker-registry with a token server', () => {
  const { signal } = new AbortController(); // vitest's own limits end what hangs
  const push = async (client: RegistryClient, repository: string) => {
    const image = { layers: [await layerOf([{ name: 'opt/a' }])], tag: '1', signal };
    return pushFixture(client, repository, image);
  };

  test('lets anybody pull whom the token server grants no more, and denies the push', async () => {
    await using tokens = await startTokenServer(registryUser);
    await using server = await startDockerRegistry({ tokens });
    const repository = `${server.host}/kmod`;
    const digest = await push(clientOf({ auth: () => registryUser }), repository);
    const anybody = clientOf();
    expect(await anybody.getManifest(`${repository}:1`, signal)).toMatchObject({ digest });
    await expect(push(anybody, `${repository}-2`)).rejects.toBeInstanceOf(RegistryDeniedError);
    await expect(anybody.deleteManifest(`${repository}@${digest}`, signal)).rejects.toBeInstanceOf(RegistryDeniedError);
  });

  test('denies a caller to whom the token server gives no token', async () => {
    await using tokens = await startTokenServer(registryUser);
    await using server = await startDockerRegistry({ tokens });
    const client = clientOf({ auth: () => ({ ...registryUser, password: 'wrong' }) });
    await expect(client.resolve(`${server.host}/kmod:1`, signal)).rejects.toBeInstanceOf(RegistryDeniedError);
  });
});

describe('docker-registry behind TLS', () => {
  const resolve = async (options: (ca: string | undefined) => RegistryClientOptions, name?: string) => {
    await using server = await startDockerRegistry({ tls: true });
    const client = createRegistryClient({ lookup: lookupLoopback, retryDelayMs: 1, ...options(server.ca) });
    const host = name === undefined ? server.host : server.host.replace(/^[^:]+/, name);
    try {
      return await client.resolve(`${host}/kmod:1`, AbortSignal.timeout(60_000));
    } finally {
      await client.close();
    }
  };
  const unreachable = { code: 'RegistryUnreachable' };

  test('is trusted for the authority of its certificate', async () => {
    expect(await resolve((ca) => ({ ca }))).toBeUndefined();
  });

  test('is not trusted for the authorities of the system', async () => {
    await expect(resolve(() => ({}))).rejects.toMatchObject(unreachable);
  });

  test('is not trusted under another name', async () => {
    await expect(resolve((ca) => ({ ca }), 'other.example')).rejects.toMatchObject(unreachable);
  });

  test('is used unverified where that host is said to be', async () => {
    expect(await resolve(() => ({ unverifiedHosts: (host) => host.startsWith('registry.example:') }))).toBeUndefined();
    await expect(resolve(() => ({ unverifiedHosts: () => false }))).rejects.toMatchObject(unreachable);
  });

  test('is used unverified where a rule for mirrors says that it is insecure', async () => {
    const rule = { prefix: '*.example', mirrors: [], insecure: true, blocked: false };
    expect(await resolve(() => ({ mirrors: [rule] }))).toBeUndefined();
  });

  test('is reached through a proxy that sees nothing but the name', async () => {
    await using server = await startDockerRegistry({ tls: true });
    const tunnels: (string | undefined)[] = [];
    const proxy = await serve((_request, response) => response.writeHead(405).end());
    proxy.server.on('connect', ({ url }, socket) => {
      tunnels.push(url);
      const upstream = connect(Number(url?.split(':')[1]), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      upstream.pipe(socket).pipe(upstream);
    });
    const client = clientOf({ ca: server.ca, proxy: { httpsProxy: proxy.host } });
    expect(await client.resolve(`${server.host}/kmod:1`, AbortSignal.timeout(60_000))).toBeUndefined();
    expect([tunnels, proxy.seen.length]).toEqual([[server.host], 0]);
  });

  test('is not spoken to in plain HTTP by its own choice', async () => {
    await expect(resolve((ca) => ({ ca, insecureHosts: () => true }))).rejects.toMatchObject({
      code: 'RegistryRefused',
    });
  });
});
