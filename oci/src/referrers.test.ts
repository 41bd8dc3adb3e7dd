import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { clientOf, serve } from '../test/http-server.ts';
import { digestOf } from './digest.ts';
import { mediaTypes } from './manifest.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf('image'), size: 5 };
const tag = `/v2/kmod/manifests/${subject.digest.replace(':', '-')}`;
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
const signature = (name: string) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType: `test/${name}`, config: empty, layers: [], subject }));
const entry = (name: string) => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(signature(name)),
  size: signature(name).length,
  artifactType: `test/${name}`,
});
const index = (...manifests: unknown[]) =>
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

/** A registry without the API; `interfere` may change what a write of the tag leaves behind. */
async function withoutApi(interfere: (written: string) => string = (written) => written) {
  const manifests = new Map<string, string>();
  const registry = await serve(async (request, response) => {
    const { method, url = '' } = request;
    const body = (await buffer(request)).toString();
    const found = manifests.get(url);
    if (method === 'PUT') manifests.set(url, url === tag ? interfere(body) : body);
    response.writeHead(method === 'PUT' ? 201 : found === undefined ? 404 : 200).end(method === 'PUT' ? '' : found);
  });
  return { image: `${registry.host}/kmod`, manifests };
}

test('the pages of a list are joined, and filtered where the registry does not', async () => {
  const registry = await serve((request, response) => {
    const isFirst = !request.url?.includes('page=2');
    const link = `</v2/kmod/referrers/${subject.digest}?page=2>; rel="next"`;
    response.writeHead(200, isFirst ? { link } : {}).end(index(entry(isFirst ? 'a' : 'b')));
  });
  const image = `${registry.host}/kmod@${subject.digest}`;
  expect(await clientOf().listReferrers(image, {}, signal)).toEqual([entry('a'), entry('b')]);
  expect(await clientOf().listReferrers(image, { artifactType: 'test/b' }, signal)).toEqual([entry('b')]);
});

test.each([
  ['has no end', (host: string) => `<http://${host}/v2/kmod/referrers/x>; rel="next"`],
  ['leads elsewhere', () => '<http://169.254.169.254/>; rel="next"'],
  ['leads to another repository', () => '</v2/other/referrers/x>; rel="next"'],
])('a list that %s is refused', async (_case, link) => {
  const registry = await serve((_request, response) =>
    response.writeHead(200, { link: link(registry.host) }).end(index()),
  );
  const listing = clientOf().listReferrers(`${registry.host}/kmod@${subject.digest}`, {}, signal);
  await expect(listing).rejects.toMatchObject({ code: 'RegistryRefused' });
});

test('with the API, the registry keeps the list, and no tag is written', async () => {
  const registry = await serve((request, response) => {
    if (request.method === 'PUT') response.writeHead(201, { 'oci-subject': subject.digest }).end();
    else if (request.url?.includes('/referrers/')) response.end(index(entry('a')));
    else response.writeHead(404).end();
  });
  const client = clientOf();
  await client.putReferrer(`${registry.host}/kmod`, signature('a'), signal);
  const listed = await client.listReferrers(`${registry.host}/kmod@${subject.digest}`, {}, signal);
  expect(listed).toEqual([entry('a')]);
  expect(registry.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
    `PUT /v2/kmod/manifests/${entry('a').digest}`,
    `GET /v2/kmod/referrers/${subject.digest}`,
  ]);
});

test('without the API, what is attached is listed under a tag, once', async () => {
  const { image, manifests } = await withoutApi();
  const client = clientOf();
  for (const name of ['a', 'b', 'a']) {
    expect(await client.putReferrer(image, signature(name), signal)).toBe(entry(name).digest);
  }
  expect(manifests.get(tag)).toBe(index(entry('a'), entry('b')));
  expect(await client.listReferrers(`${image}@${subject.digest}`, {}, signal)).toEqual([entry('a'), entry('b')]);
});

test('an entry that a concurrent write takes away is added again', async () => {
  let writes = 0;
  const { image } = await withoutApi((written) => {
    writes += 1;
    return writes === 1 ? index(entry('of another')) : written;
  });
  await clientOf().putReferrer(image, signature('a'), signal);
  const listed = await clientOf().listReferrers(`${image}@${subject.digest}`, {}, signal);
  expect(listed).toEqual([entry('of another'), entry('a')]);
});

test('a list that others never stop changing is left to the next try', async () => {
  const { image } = await withoutApi(() => index(entry('of another')));
  const putting = clientOf().putReferrer(image, signature('a'), signal);
  await expect(putting).rejects.toMatchObject({ code: 'RegistryUnreachable', retry: 'backoff' });
});

test('a manifest that belongs to no image is refused', async () => {
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, config: empty, layers: [] }));
  const putting = clientOf().putReferrer('registry.example/kmod', body, signal);
  await expect(putting).rejects.toMatchObject({ code: 'ImageRefused' });
});
