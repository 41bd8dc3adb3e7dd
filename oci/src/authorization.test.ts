import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clientOf, serve } from '../test/http-server.ts';
import { dockerConfigAuth } from './credentials.ts';
import { mediaTypes } from './manifest.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const config = { mediaType: mediaTypes.ociConfig, digest: `sha256:${'a'.repeat(64)}`, size: 2 };
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });
const basic = (user: string) => `Basic ${Buffer.from(user).toString('base64')}`;

afterEach(() => vi.useRealTimers());

/** A token server that numbers its tokens, and a registry that takes the newest one only. */
async function world(grant: Record<string, unknown> = {}) {
  const asked: string[] = [];
  let issued = 0;
  const tokens = await serve(async (request, response) => {
    const body = await text(request);
    asked.push([request.method, request.url, request.headers.authorization ?? body].join(' '));
    issued += 1;
    response.end(JSON.stringify({ token: `T${issued}`, ...grant }));
  });
  const challenge = `Bearer realm="http://${tokens.host}/token",service="r"`;
  const registry = await serve((request, response) => {
    if (request.headers.authorization === `Bearer T${issued}`) response.end(manifest);
    else response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  return { asked, registry };
}

describe('a token', () => {
  test('is used until shortly before it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { asked, registry } = await world({ expires_in: 300 });
    const client = clientOf();
    const get = () => client.getManifest(`${registry.host}/team/kmod:1`, signal);
    await get();
    vi.setSystemTime(Date.now() + 269_000);
    await get();
    expect(asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2_000);
    await get();
    expect(asked).toHaveLength(2);
    expect(registry.seen.filter(({ headers }) => headers.authorization === undefined)).toHaveLength(1);
  });

  test('is asked for again when the registry has forgotten it', async () => {
    const { asked, registry } = await world();
    const client = clientOf();
    await client.getManifest(`${registry.host}/team/kmod:1`, signal);
    await client.getManifest(`${registry.host}/other:1`, signal); // the first token is not the newest any more
    await client.getManifest(`${registry.host}/team/kmod:1`, signal);
    expect(asked).toHaveLength(3);
  });

  test.each([
    ['the password of the longest path', 'team/kmod', basic('team:pw')],
    ['the password of the host', 'other/kmod', basic('host:pw')],
  ])('is asked for with %s', async (_case, path, shown) => {
    const { asked, registry } = await world();
    const auths = {
      [registry.host]: { auth: Buffer.from('host:pw').toString('base64') },
      [`${registry.host}/team`]: { auth: Buffer.from('team:pw').toString('base64') },
    };
    const client = clientOf({ auth: dockerConfigAuth(JSON.stringify({ auths })) });
    await client.getManifest(`${registry.host}/${path}:1`, signal);
    const scope = encodeURIComponent(`repository:${path}:pull`);
    expect(asked).toEqual([`GET /token?service=r&scope=${scope} ${shown}`]);
  });

  test('is asked for with the identity token that docker login has left', async () => {
    const { asked, registry } = await world();
    const auths = { [registry.host]: { identitytoken: 'IT' } };
    const client = clientOf({ auth: dockerConfigAuth(JSON.stringify({ auths })) });
    await client.getManifest(`${registry.host}/team/kmod:1`, signal);
    const form = 'grant_type=refresh_token&client_id=kmm-hub&refresh_token=IT&service=r';
    expect(asked).toEqual([`POST /token ${form}&scope=repository%3Ateam%2Fkmod%3Apull`]);
  });

  test('of one credential is not used for another', async () => {
    const { asked, registry } = await world();
    let credentials = { username: 'old', password: 'pw' };
    const client = clientOf({ auth: () => credentials });
    await client.getManifest(`${registry.host}/kmod:1`, signal);
    credentials = { username: 'new', password: 'pw' };
    await client.getManifest(`${registry.host}/kmod:1`, signal);
    expect(asked.map((each) => each.split(' ').slice(2).join(' '))).toEqual([basic('old:pw'), basic('new:pw')]);
  });

  test('for a mount covers both repositories', async () => {
    const tokens = await serve((_request, response) => response.end('{"token":"T"}'));
    const registry = await serve((request, response) => {
      const { method, headers } = request;
      if (method === 'HEAD') response.writeHead(404).end();
      else if (headers.authorization === 'Bearer T') response.writeHead(201).end();
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/"` }).end();
    });
    const open = () => Buffer.from('x');
    const blob = { digest: config.digest, sizeBytes: 1, open, mountFrom: `${registry.host}/from` };
    await clientOf().uploadBlob(`${registry.host}/to`, blob, signal);
    const scopes = tokens.seen.map(({ url = '' }) => new URL(url, 'http://x').searchParams.getAll('scope'));
    expect(scopes).toEqual([['repository:to:pull,push', 'repository:from:pull']]);
  });
});

test('calls that are all asked for a password at first are all answered', async () => {
  const waiting: (() => void)[] = [];
  const registry = await serve((request, response) => {
    if (request.headers.authorization === basic('hub:pw')) return void response.end(manifest);
    waiting.push(() => response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end());
    if (waiting.length === 3) for (const refuse of waiting) refuse();
  });
  const client = clientOf({ auth: () => ({ username: 'hub', password: 'pw' }) });
  const images = ['a', 'b', 'c'].map((name) => client.getManifest(`${registry.host}/${name}:1`, signal));
  expect(await Promise.all(images)).toHaveLength(3);
});
