import { randomBytes } from 'node:crypto';
import { request as forward, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { digestOf } from '../src/index.ts';
import { registryV3Program } from './config.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { clientOf, serve } from './http-server.ts';

const MIB = 1024 * 1024;

/** A proxy before a real registry that takes no large bodies and cuts each download after a third of the blob. */
function narrowWay(registry: string, sizeBytes: number): RequestListener {
  return (request, response) => {
    const { method, headers, url = '' } = request;
    if (Number(headers['content-length'] ?? 0) > MIB) {
      request.resume();
      response.writeHead(413).end();
      return;
    }
    const onward = forward(`http://${registry}${url}`, { method, headers }, (answer) => {
      let left = method === 'GET' ? Math.floor(sizeBytes / 3) : Number.POSITIVE_INFINITY;
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('data', (chunk: Buffer) => {
        const passed = chunk.subarray(0, left);
        const isCut = passed.length < chunk.length;
        left -= passed.length;
        response.write(passed, () => isCut && response.destroy());
      });
      answer.on('end', () => response.end());
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  };
}

test.each([
  ['docker-registry', undefined],
  ['distribution v3', registryV3Program],
])('a blob passes a proxy that takes small bodies and breaks connections, to and from %s', async (_name, program) => {
  await using registry = await startDockerRegistry(program === undefined ? {} : { program });
  const content = randomBytes(3 * MIB + 5);
  const proxy = await serve(narrowWay(registry.host, content.length));
  const client = clientOf();
  const { signal } = new AbortController(); // vitest's own limits end what hangs
  const blob = { digest: digestOf(content), sizeBytes: content.length, open: () => content };
  await client.uploadBlob(`${proxy.host}/kmod`, blob, signal);
  const opened = await client.openBlob(`${proxy.host}/kmod`, { digest: blob.digest, size: content.length }, signal);
  expect((await buffer(opened)).equals(content)).toBe(true);
  const methods = proxy.seen.map(({ method }) => method);
  expect(methods.filter((method) => method === 'PATCH')).toHaveLength(4);
  const ranges = proxy.seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers.range);
  expect(ranges.length).toBeGreaterThan(2);
  expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
});
