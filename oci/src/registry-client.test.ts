import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { clientOf, serve } from '../test/http-server.ts';
import { digestOf } from './digest.ts';
import { mediaTypes } from './manifest.ts';

/** What docker-registry does not do by itself: other hosts, token servers, faults. */
const { signal } = new AbortController(); // vitest's own limits end what hangs
const blob = Buffer.from('a blob');
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 },
    layers: [],
  }),
);
const credentials = { username: 'hub', password: 'secret' };
const basic = `Basic ${Buffer.from('hub:secret').toString('base64')}`;

describe('a registry client', () => {
  test('gets a token for the scope it needs, once, and sends it', async () => {
    const tokens = await serve((request, response) => {
      response.statusCode = request.headers.authorization === basic ? 200 : 401;
      response.end(JSON.stringify({ token: 'T', expires_in: 300 }));
    });
    const registry = await serve((request, response) => {
      const realm = `http://${tokens.host}/token`;
      if (request.headers.authorization === 'Bearer T') response.end(manifest);
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="registry.example"` }).end();
    });
    const client = clientOf({ auth: () => credentials });
    await client.getManifest(`${registry.host}/team/kmod:1`, signal);
    await client.getManifest(`${registry.host}/team/kmod:2`, signal);
    expect(registry.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer T', 'Bearer T']);
    expect(tokens.seen.map(({ url }) => url)).toEqual([
      '/token?service=registry.example&scope=repository%3Ateam%2Fkmod%3Apull',
    ]);
  });

  test('gets a new token when the old one is refused', async () => {
    let issued = 0;
    const tokens = await serve((_request, response) => {
      issued += 1;
      response.end(JSON.stringify({ access_token: `T${issued}` }));
    });
    const registry = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer T2') response.end(manifest);
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` }).end();
    });
    const client = clientOf();
    const image = `${registry.host}/kmod:1`;
    await expect(client.getManifest(image, signal)).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect((await client.getManifest(image, signal)).digest).toBe(digestOf(manifest));
  });

  test('never shows a credential to the host it is redirected to', async () => {
    const storage = await serve((_request, response) => response.end(blob));
    const registry = await serve((request, response) => {
      if (request.headers.authorization !== basic)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else response.writeHead(307, { location: `http://${storage.host}/elsewhere` }).end();
    });
    const client = clientOf({ auth: () => credentials });
    const opened = await client.openBlob(
      `${registry.host}/kmod`,
      { digest: digestOf(blob), size: blob.length },
      signal,
    );
    expect(await buffer(opened)).toEqual(blob);
    expect(storage.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test('gives up after five redirects', async () => {
    const registry = await serve((_request, response) => response.writeHead(302, { location: '/again' }).end());
    const resolving = clientOf().resolve(`${registry.host}/kmod:1`, signal);
    await expect(resolving).rejects.toMatchObject({ code: 'RegistryRefused' });
    expect(registry.seen).toHaveLength(6);
  });

  test.each([[429], [500], [503]])('tries again after HTTP %i', async (status) => {
    const registry = await serve((_request, response) => {
      if (registry.seen.length < 3) response.writeHead(status).end();
      else response.end(manifest);
    });
    expect((await clientOf().getManifest(`${registry.host}/kmod:1`, signal)).digest).toBe(digestOf(manifest));
  });

  test('tries again after a broken connection', async () => {
    const registry = await serve((request, response) => {
      if (registry.seen.length < 2) request.socket.destroy();
      else response.end(manifest);
    });
    expect((await clientOf().getManifest(`${registry.host}/kmod:1`, signal)).digest).toBe(digestOf(manifest));
  });

  test('says that a registry is unreachable after four tries', async () => {
    const registry = await serve((_request, response) => response.writeHead(503).end());
    const resolving = clientOf().resolve(`${registry.host}/kmod:1`, signal);
    await expect(resolving).rejects.toMatchObject({ code: 'RegistryUnreachable', retry: 'backoff' });
    expect(registry.seen).toHaveLength(4);
  });

  test('leaves a long pause that a registry asks for to the queue', async () => {
    const registry = await serve((_request, response) => response.writeHead(429, { 'retry-after': '600' }).end());
    const resolving = clientOf().resolve(`${registry.host}/kmod:1`, signal);
    await expect(resolving).rejects.toMatchObject({ code: 'RegistryUnreachable', retryAfterMs: 600_000 });
    expect(registry.seen).toHaveLength(1);
  });

  test('does not wait for a silent registry', async () => {
    const registry = await serve(() => undefined);
    const resolving = clientOf({ timeoutMs: 50 }).resolve(`${registry.host}/kmod:1`, signal);
    await expect(resolving).rejects.toMatchObject({ code: 'RegistryUnreachable' });
  });

  test('stops waiting when its signal is aborted', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const registry = await serve(() => cancel.abort(reason));
    await expect(clientOf().resolve(`${registry.host}/kmod:1`, cancel.signal)).rejects.toBe(reason);
  });

  test('stops waiting for its next try when its signal is aborted', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const registry = await serve((_request, response) => {
      response.on('close', () => setImmediate(() => cancel.abort(reason)));
      response.writeHead(503, { connection: 'close' }).end();
    });
    const resolving = clientOf({ retryDelayMs: 60_000 }).resolve(`${registry.host}/kmod:1`, cancel.signal);
    await expect(resolving).rejects.toBe(reason);
  });

  test.each([
    ['another manifest than the digest names', manifest, { code: 'DigestMismatch' }],
    ['a manifest of endless length', Buffer.alloc(5 * 1024 * 1024), { code: 'RegistryRefused' }],
  ])('refuses %s', async (_case, body, refusal) => {
    const registry = await serve((_request, response) => response.end(body));
    const image = `${registry.host}/kmod@${digestOf('another')}`;
    await expect(clientOf().getManifest(image, signal)).rejects.toMatchObject(refusal);
  });

  test.each([
    ['no JSON', 'nothing'],
    ['a manifest of schema 1', '{"schemaVersion":1}'],
    [
      'layers that are none',
      '{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:y","size":1},"layers":[{}]}',
    ],
    ['an index without this platform', JSON.stringify({ mediaType: mediaTypes.ociIndex, manifests: [] })],
  ])('refuses %s in place of a manifest', async (_case, body) => {
    const registry = await serve((_request, response) => response.end(body));
    await expect(clientOf().getManifest(`${registry.host}/kmod:1`, signal)).rejects.toMatchObject({
      code: 'ImageRefused',
    });
  });

  test('asks with GET where HEAD does not tell the digest', async () => {
    const registry = await serve((request, response) => response.end(request.method === 'HEAD' ? '' : manifest));
    const resolved = { digest: digestOf(manifest), mediaType: mediaTypes.ociManifest, sizeBytes: manifest.length };
    expect(await clientOf().resolve(`${registry.host}/kmod:1`, signal)).toEqual(resolved);
  });

  test('starts an upload again when the connection breaks in the middle', async () => {
    const received: Buffer[] = [];
    let uploads = 0;
    const receive: RequestListener = (request, response) => {
      uploads += 1;
      if (uploads === 1) request.socket.destroy();
      else request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.writeHead(201).end());
    };
    const registry = await serve((request, response) => {
      if (request.method === 'PUT') receive(request, response);
      else if (request.method === 'POST') response.writeHead(202, { location: '/session?state=s' }).end();
      else response.writeHead(404).end();
    });
    const upload = { digest: digestOf(blob), sizeBytes: blob.length, open: () => blob };
    await clientOf().uploadBlob(`${registry.host}/kmod`, upload, signal);
    expect(Buffer.concat(received)).toEqual(blob);
    expect(registry.seen.at(-1)?.url).toBe(`/session?state=s&digest=${encodeURIComponent(digestOf(blob))}`);
  });

  test('survives a blob stream that nobody reads to its end', async () => {
    const large = Buffer.alloc(4 * 1024 * 1024, 'x');
    const registry = await serve((_request, response) => response.end(large));
    const opened = await clientOf().openBlob(
      `${registry.host}/kmod`,
      { digest: digestOf(large), size: large.length },
      signal,
    );
    const closed = once(opened, 'close');
    opened.destroy();
    await closed;
    expect(opened.destroyed).toBe(true);
  });

  test('takes no free text of a registry into its messages', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'token hunter2' }] });
    const registry = await serve((_request, response) => response.writeHead(403).end(body));
    const resolving = clientOf().getManifest(`${registry.host}/kmod:1`, signal);
    await expect(resolving).rejects.toMatchObject({
      code: 'RegistryDenied',
      message: expect.stringMatching(/403 DENIED to pull$/),
    });
  });
});
