import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { clientOf, serve } from '../test/http-server.ts';
import { digestOf } from './digest.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const content = Buffer.from('0123456789');
const digest = digestOf(content);
const size = content.length;

/** Sends three bytes of what is asked for and hangs up; `shift` is how wrong it is about where they begin. */
function breaking(shift = 0): RequestListener {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${from + shift}-${size - 1}/${size}` };
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': size - from, ...range });
    const isLast = from + 3 >= size;
    response.write(content.subarray(from, from + 3), () => (isLast ? response.end() : response.destroy()));
  };
}

describe('a download', () => {
  test('goes on where the connection broke', async () => {
    const registry = await serve(breaking());
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size }, signal);
    expect(await buffer(opened)).toEqual(content);
    expect(registry.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=3-', 'bytes=6-', 'bytes=9-']);
  });

  test('passes over what it has when the registry begins again', async () => {
    const registry = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': size });
      if (registry.seen.length > 1) response.end(content);
      else response.write(content.subarray(0, 3), () => response.destroy());
    });
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size }, signal);
    expect(await buffer(opened)).toEqual(content);
  });

  test('refuses another range than it asked for', async () => {
    const registry = await serve(breaking(1));
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size }, signal);
    await expect(buffer(opened)).rejects.toMatchObject({ code: 'RegistryRefused' });
  });

  test('ends after eleven broken connections', async () => {
    const registry = await serve((_request, response) => {
      const from = registry.seen.length - 1;
      const range = { 'content-range': `bytes ${from}-99/100` };
      response.writeHead(from === 0 ? 200 : 206, { 'content-length': 100 - from, ...range });
      response.write('x', () => response.destroy());
    });
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size: 100 }, signal);
    await expect(buffer(opened)).rejects.toMatchObject({ code: 'RegistryUnreachable', retry: 'backoff' });
    expect(registry.seen).toHaveLength(11);
  });

  test('ends with the reason of its signal', async () => {
    const registry = await serve((_request, response) => response.write('0'));
    const cancel = new AbortController();
    const opened = await clientOf().openBlob(`${registry.host}/kmod`, { digest, size }, cancel.signal);
    const reason = new Error('cancelled');
    opened.once('data', () => cancel.abort(reason));
    await expect(buffer(opened)).rejects.toBe(reason);
  });
});

type Received = { method: string | undefined; url: string | undefined; range: string | undefined; body: Buffer };

/** A registry that takes chunks, and answers to a PUT that carries a body with that status. */
async function chunkedRegistry(status: number, session: Record<string, string> = {}) {
  const received: Received[] = [];
  const registry = await serve(async (request, response) => {
    const body = await buffer(request);
    const { method, url } = request;
    received.push({ method, url, range: request.headers['content-range'], body });
    const location = `/session/${received.length}?state=s`;
    if (method === 'POST') response.writeHead(202, { location, ...session }).end();
    else if (method === 'PATCH') response.writeHead(202, { location }).end();
    else if (method === 'PUT') response.writeHead(body.length > 0 ? status : 201).end();
    else response.writeHead(404).end();
  });
  return { registry, received };
}

describe('an upload', () => {
  const MIB = 1024 * 1024;
  const large = Buffer.alloc(2.5 * MIB, 'x');
  const blob = { digest: digestOf(large), sizeBytes: large.length };
  const sources: [string, () => Buffer | Readable][] = [
    ['memory', () => large],
    ['a stream', () => Readable.from([large.subarray(0, 10), large.subarray(10)])],
  ];

  test.each(sources)('from %s goes in chunks where it is too large at once', async (_case, open) => {
    const { registry, received } = await chunkedRegistry(413);
    await clientOf().uploadBlob(`${registry.host}/kmod`, { ...blob, open }, signal);
    const steps = received.map(({ method, range }) => (range === undefined ? method : `${method} ${range}`));
    const chunks = [`PATCH 0-${MIB - 1}`, `PATCH ${MIB}-${2 * MIB - 1}`, `PATCH ${2 * MIB}-${large.length - 1}`];
    expect(steps).toEqual(['HEAD', 'POST', 'PUT', 'POST', ...chunks, 'PUT']);
    const patches = received.filter(({ method }) => method === 'PATCH');
    expect(Buffer.concat(patches.map(({ body }) => body))).toEqual(large);
    expect(patches.map(({ url }) => url)).toEqual([4, 5, 6].map((step) => `/session/${step}?state=s`));
    expect(received.at(-1)?.url).toBe(`/session/7?state=s&digest=${encodeURIComponent(blob.digest)}`);
  });

  test('takes chunks as large as the registry asks for', async () => {
    const { registry, received } = await chunkedRegistry(405, { 'oci-chunk-min-length': String(2 * MIB) });
    await clientOf().uploadBlob(`${registry.host}/kmod`, { ...blob, open: () => large }, signal);
    const sizes = received.filter(({ method }) => method === 'PATCH').map(({ body }) => body.length);
    expect(sizes).toEqual([2 * MIB, 0.5 * MIB]);
  });

  test('is not tried in chunks where it is refused for what it is', async () => {
    const { registry, received } = await chunkedRegistry(400);
    const uploading = clientOf().uploadBlob(`${registry.host}/kmod`, { ...blob, open: () => large }, signal);
    await expect(uploading).rejects.toMatchObject({ code: 'RegistryRefused', status: 400 });
    expect(received.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT']);
  });

  test.each([401, 403, 404, 405])('sends the bytes where a mount is answered with %i', async (status) => {
    const registry = await serve((request, response) => {
      request.resume();
      const isMount = request.url?.includes('mount=');
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'PUT') response.writeHead(201).end();
      else response.writeHead(isMount ? status : 202, { location: '/session' }).end();
    });
    const mountFrom = `${registry.host}/other`;
    await clientOf().uploadBlob(`${registry.host}/kmod`, { ...blob, open: () => large, mountFrom }, signal);
    const wanted = `/v2/kmod/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=other`;
    expect(registry.seen.map(({ url }) => url)).toContain(wanted);
    expect(registry.seen.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'POST', 'PUT']);
  });
});
