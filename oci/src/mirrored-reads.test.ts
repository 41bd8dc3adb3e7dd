import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { clientOf, named, serve, type TestServer } from '../test/http-server.ts';
import { digestOf } from './digest.ts';
import { mediaTypes } from './manifest.ts';
import { mirrorSetRules } from './mirror-rules.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const content = Buffer.from('{}');
const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(content), size: content.length };
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }),
);
const digest = digestOf(manifest);

/** A server that holds one image under every name; or the answer it gives in its place. */
const holding = (status = 200) =>
  serve((request, response) => {
    response.writeHead(status, { 'content-type': mediaTypes.ociManifest });
    response.end(request.url?.includes('/blobs/') ? content : manifest);
  });

const at = (name: string, { port }: TestServer) => `${name}.example:${port}`;

/** A client that knows `mirror` as the place for the digests of `source`. */
function clientWith(source: TestServer, mirror: TestServer, policy?: 'NeverContactSource') {
  const set = { source: at('source', source), mirrors: [`${at('mirror', mirror)}/cache`] };
  const mirrorSet = { ...set, ...(policy && { mirrorSourcePolicy: policy }) };
  return clientOf({ ...named, mirrors: mirrorSetRules([{ imageDigestMirrors: [mirrorSet] }]) });
}

test('an image is read from the mirror, its blobs too, and the source is not asked', async () => {
  const [source, mirror] = [await holding(), await holding()];
  const client = clientWith(source, mirror);
  const image = await client.getManifest(`${at('source', source)}/kmod@${digest}`, signal);
  expect(image).toMatchObject({ digest, repository: `${at('mirror', mirror)}/cache/kmod` });
  expect(await buffer(await client.openBlob(image.repository, config, signal))).toEqual(content);
  expect(await buffer(await client.openBlob(`${at('source', source)}/kmod`, config, signal))).toEqual(content);
  expect(mirror.seen.map(({ url }) => url)).toEqual([
    `/v2/cache/kmod/manifests/${digest}`,
    `/v2/cache/kmod/blobs/${config.digest}`,
    `/v2/cache/kmod/blobs/${config.digest}`,
  ]);
  expect(source.seen).toEqual([]);
});

test.each([[404], [401], [500], [400]])('a mirror that answers %i leaves the source to be asked', async (status) => {
  const [source, mirror] = [await holding(), await holding(status)];
  const client = clientWith(source, mirror);
  const reference = `${at('source', source)}/kmod@${digest}`;
  expect(await client.getManifest(reference, signal)).toMatchObject({ repository: `${at('source', source)}/kmod` });
  expect(await client.resolve(reference, signal)).toMatchObject({ digest });
  expect(mirror.seen.length).toBeGreaterThan(0);
});

test('a mirror that holds something else leaves the source to be asked', async () => {
  const [source, mirror] = [await holding(), await serve((_request, response) => response.end('{"other":1}'))];
  const image = await clientWith(source, mirror).getManifest(`${at('source', source)}/kmod@${digest}`, signal);
  expect(image.repository).toBe(`${at('source', source)}/kmod`);
});

test('a source that must never be asked is not, even when the mirror has nothing', async () => {
  const [source, mirror] = [await holding(), await holding(404)];
  const client = clientWith(source, mirror, 'NeverContactSource');
  const reference = `${at('source', source)}/kmod@${digest}`;
  expect(await client.resolve(reference, signal)).toBeUndefined();
  await expect(client.getManifest(reference, signal)).rejects.toMatchObject({ code: 'ImageNotFound' });
  expect(source.seen).toEqual([]);
});

test('what is pushed goes to the place that was named', async () => {
  const [source, mirror] = [await serve((_request, response) => response.writeHead(201).end()), await holding()];
  const put = { body: manifest, mediaType: mediaTypes.ociManifest };
  await clientWith(source, mirror).putManifest(`${at('source', source)}/kmod`, put, signal);
  expect(mirror.seen).toEqual([]);
});
