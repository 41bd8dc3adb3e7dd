import { randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { clientOf, named, serve } from '../test/http-server.ts';
import { digestOf } from './digest.ts';
import { mediaTypes } from './manifest.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const MIB = 1024 * 1024;
const content = Buffer.from('a blob');
const digest = digestOf(content);
const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 };
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }),
);
const user = { username: 'hub', password: 'secret' };

/** Writes until the other side hangs up. */
function pour(response: ServerResponse): void {
  const piece = Buffer.alloc(64 * 1024);
  const more = () => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

/** A byte every few milliseconds, so that there is never silence. */
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write('x'), 5);
  response.on('close', () => clearInterval(timer));
}

async function download(listener: RequestListener, size: number | undefined = content.length, options = {}) {
  const registry = await serve(listener);
  const opened = await clientOf(options).openBlob(`${registry.host}/kmod`, { digest, size }, signal);
  return buffer(opened);
}

describe('a blob of a hostile registry', () => {
  test.each<[string, RequestListener, string]>([
    ['has other bytes', (_request, response) => response.end('b blob'), 'DigestMismatch'],
    ['is shorter', (_request, response) => response.end('a'), 'DigestMismatch'],
    ['never ends', (_request, response) => pour(response), 'DigestMismatch'],
    ['is a web page', (_request, response) => response.end('<html>please log in</html>'), 'DigestMismatch'],
    ['is said to be longer than what comes', cutAt(3), 'RegistryUnreachable'],
  ])('that %s is not used', async (_case, listener, code) => {
    await expect(download(listener)).rejects.toMatchObject({ code });
  });

  test('that arrives drop by drop is given up after the limit of the whole transfer', async () => {
    const slow = { timeoutMs: 10_000, transferTimeoutMs: 100 };
    const dripping = download((_request, response) => drip(response), MIB, slow);
    await expect(dripping).rejects.toMatchObject({ code: 'RegistryUnreachable', retry: 'backoff' });
  });

  test('that falls silent in the middle is given up after the limit of silence', async () => {
    const silent = download((_request, response) => response.write('a'), content.length, { timeoutMs: 50 });
    await expect(silent).rejects.toMatchObject({ code: 'RegistryUnreachable' });
  });

  test('that nobody wants any more does not hold its connection', async () => {
    const closed = Promise.withResolvers<void>();
    const registry = await serve((_request, response) => {
      response.on('close', closed.resolve);
      response.write('a');
    });
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size: 6 }, signal);
    opened.destroy();
    await closed.promise;
    expect(opened.destroyed).toBe(true);
  });
});

/** Says that all of it comes, sends that many bytes, and hangs up. */
function cutAt(length: number): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, length), () => response.destroy());
  };
}

describe('a manifest of a hostile registry', () => {
  const oci = { 'content-type': mediaTypes.ociManifest };
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const both = JSON.stringify({ schemaVersion: 2, config, layers: [], manifests: [] });
  const deep = `${'['.repeat(MIB)}${']'.repeat(MIB)}`;

  test.each<[string, RequestListener, string]>([
    ['never ends', (_request, response) => pour(response), 'RegistryRefused'],
    ['is cut off', (_request, response) => cutManifest(response), 'RegistryUnreachable'],
    ['is a web page', (_request, response) => response.end('<html></html>'), 'ImageRefused'],
    ['is nested deeply', (_request, response) => response.end(deep), 'ImageRefused'],
    ['is an index that is served as an image', (_request, response) => servedAs(response, oci, index), 'ImageRefused'],
    ['is an image and an index at once', (_request, response) => servedAs(response, oci, both), 'ImageRefused'],
  ])('that %s is not used', async (_case, listener, code) => {
    const registry = await serve(listener);
    await expect(clientOf().getManifest(`${registry.host}/kmod:1`, signal)).rejects.toMatchObject({ code });
  });

  test('that arrives drop by drop is given up', async () => {
    const registry = await serve((_request, response) => drip(response));
    const getting = clientOf({ transferTimeoutMs: 1_000 }).getManifest(`${registry.host}/kmod:1`, signal);
    await expect(getting).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(registry.seen).toHaveLength(1);
  });

  test.each<[string, Record<string, string>]>([
    ['a type that no manifest has', { 'content-type': 'text/html', 'content-length': '7' }],
    ['no length', { 'content-type': mediaTypes.ociManifest }],
    ['a digest that is none', { 'content-type': mediaTypes.ociManifest, 'docker-content-digest': '../../etc' }],
  ])('is read before its digest is believed when HEAD tells %s', async (_case, headers) => {
    const registry = await serve((request, response) => {
      if (request.method !== 'HEAD') response.end(manifest);
      else response.writeHead(200, { 'docker-content-digest': digest, ...headers }).end();
    });
    const resolved = await clientOf().resolve(`${registry.host}/kmod:1`, signal);
    expect(resolved).toMatchObject({ digest: digestOf(manifest), sizeBytes: manifest.length });
  });
});

function servedAs(response: ServerResponse, headers: Record<string, string>, body: string): void {
  response.writeHead(200, headers).end(body);
}

function cutManifest(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': manifest.length });
  response.write(manifest.subarray(0, 20), () => response.destroy());
}

describe('a hostile registry', () => {
  test.each([
    'http://127.0.0.1:1/x',
    'http://localhost:1/x',
    'http://[::1]:1/x',
    'http://[::ffff:169.254.169.254]/latest',
    'http://2130706433:1/x',
    'http://169.254.169.254/latest/meta-data',
    'ftp://elsewhere.example/x',
    'file:///etc/passwd',
    'http://',
  ])('does not lead us to %s', async (location) => {
    const registry = await serve((_request, response) => response.writeHead(307, { location }).end());
    const image = `registry.example:${registry.port}/kmod`;
    const opening = clientOf(named).openBlob(image, { digest }, signal);
    await expect(opening).rejects.toMatchObject({ code: 'RegistryRefused' });
  });

  test('does not lead us to this machine by a name that resolves to it', async () => {
    const victim = await serve((_request, response) => response.end(content));
    const location = `http://elsewhere.example:${victim.port}/x`;
    const registry = await serve((_request, response) => response.writeHead(307, { location }).end());
    const opening = clientOf(named).openBlob(`registry.example:${registry.port}/kmod`, { digest }, signal);
    await expect(opening).rejects.toMatchObject({ code: 'RegistryRefused' });
    expect(victim.seen).toEqual([]);
  });

  test('does not lead an upload to this machine by a name that resolves to it', async () => {
    const victim = await serve((_request, response) => response.writeHead(201).end());
    const registry = await serve((request, response) => {
      const location = `http://elsewhere.example:${victim.port}/session`;
      response.writeHead(request.method === 'POST' ? 202 : 404, { location }).end();
    });
    const blob = { digest, sizeBytes: content.length, open: () => content };
    const uploading = clientOf(named).uploadBlob(`registry.example:${registry.port}/kmod`, blob, signal);
    await expect(uploading).rejects.toMatchObject({ code: 'RegistryRefused' });
    expect(victim.seen).toEqual([]);
  });

  test.each(['http://[::1]:6443/', 'http://127.0.0.1:6379/', 'http://169.254.169.254/latest', '', 'ftp://x.example/'])(
    'does not make us continue an upload at "%s"',
    async (location) => {
      const registry = await serve((request, response) =>
        response.writeHead(request.method === 'POST' ? 202 : 404, { location }).end(),
      );
      const blob = { digest, sizeBytes: content.length, open: () => content };
      const uploading = clientOf(named).uploadBlob(`registry.example:${registry.port}/kmod`, blob, signal);
      await expect(uploading).rejects.toMatchObject({ code: 'RegistryRefused' });
      expect(registry.seen.map(({ method }) => method)).toEqual(['HEAD', 'POST']);
    },
  );

  test('that always asks for a password gets it once in each call', async () => {
    const challenge = { 'www-authenticate': 'Basic realm="r"' };
    const registry = await serve((_request, response) => response.writeHead(401, challenge).end());
    const client = clientOf({ auth: () => user });
    for (const requests of [2, 3]) {
      const getting = client.getManifest(`${registry.host}/kmod:1`, signal);
      await expect(getting).rejects.toMatchObject({ code: 'RegistryDenied' });
      expect(registry.seen).toHaveLength(requests);
    }
  });

  test('that always asks for a token is answered once', async () => {
    const tokens = await serve((_request, response) =>
      response.end(JSON.stringify({ token: randomBytes(8).toString('hex') })),
    );
    const challenge = { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` };
    const registry = await serve((_request, response) => response.writeHead(401, challenge).end());
    const getting = clientOf().getManifest(`${registry.host}/kmod:1`, signal);
    await expect(getting).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect([registry.seen.length, tokens.seen.length]).toEqual([2, 1]);
  });

  test('whose storage asks for a credential does not get it', async () => {
    const thief = await serve((_request, response) => response.end('{"token":"T"}'));
    const challenge = { 'www-authenticate': `Bearer realm="http://${thief.host}/"` };
    const storage = await serve((_request, response) => response.writeHead(401, challenge).end());
    const location = `http://${storage.host}/x`;
    const registry = await serve((_request, response) => response.writeHead(307, { location }).end());
    const opening = clientOf({ auth: () => user }).openBlob(`${registry.host}/kmod`, { digest }, signal);
    await expect(opening).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(thief.seen).toEqual([]);
  });

  test('whose error is endless is still an error of its status', async () => {
    const registry = await serve((_request, response) => pour(response.writeHead(403)));
    const getting = clientOf().getManifest(`${registry.host}/kmod:1`, signal);
    await expect(getting).rejects.toMatchObject({ code: 'RegistryDenied' });
  });
});
