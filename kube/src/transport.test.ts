import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Credentials } from './credentials.ts';
import { LeadershipLostError } from './errors.ts';
import { retryAfterMs, throttledReadDelayMs } from './retry-after.ts';
import { Transport } from './transport.ts';

const { signal } = new AbortController();
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).reverse()) await stop();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers each request with the next of `answers`, the last one for ever. `asked`: "verb path". */
async function start(
  answers: Answer[],
  { timeoutMs = 30_000, credentials = {} as Credentials | (() => Credentials) } = {},
) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  const url = await listening(server);
  const connection = {
    server: url,
    credentials: async () => (typeof credentials === 'function' ? credentials() : credentials),
  };
  const transport = new Transport(connection, { userAgent: 'test', timeoutMs, connections: 2 });
  cleanUp.push(() => transport.close());
  return { asked, transport, url };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function status(code: number, body: object = {}, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}
const ok = status(200, { fine: true });
const throttled = status(429, { message: 'slow down' }, { 'retry-after': '0' });
const silent: Answer = () => undefined;
const get = { method: 'GET', path: '/x' } as const;
const post = { method: 'POST', path: '/x', body: {} } as const;

test('a throttled read is sent again until it is answered', async () => {
  const { asked, transport } = await start([throttled, throttled, ok]);
  expect(await transport.json(get, signal)).toEqual({ fine: true });
  expect(asked).toHaveLength(3);
});

test('a read that stays throttled fails in the end', async () => {
  const { asked, transport } = await start([throttled]);
  await expect(transport.json(get, signal)).rejects.toMatchObject({
    code: 'TooManyRequests',
    message: 'GET /x: slow down',
  });
  expect(asked).toHaveLength(5);
});

test('a throttled write is left to the caller', async () => {
  const { asked, transport } = await start([throttled, ok]);
  await expect(transport.json(post, signal)).rejects.toMatchObject({ code: 'TooManyRequests', retryAfterMs: 0 });
  expect(asked).toHaveLength(1);
});

test('an abort ends the wait for a throttled read with its reason', async () => {
  const { transport } = await start([status(429, {}, { 'retry-after': '20' })]);
  const stop = new AbortController();
  const reading = transport.json(get, stop.signal);
  const reason = new Error('stopping');
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test.each<[string, Answer]>([
  ['that never answers', silent],
  ['that never ends its answer', (_request, response) => void response.writeHead(200).write('{')],
])('a server %s is unreachable once the limit is over', async (_behaviour, answer) => {
  const { transport } = await start([answer], { timeoutMs: 50 });
  await expect(transport.json(get, signal)).rejects.toMatchObject({
    code: 'ApiServerUnreachable',
    message: expect.stringContaining('no whole answer within 0.05 s'),
  });
});

test('a request that is aborted while it waits for its answer ends with the reason', async () => {
  const { asked, transport } = await start([silent]);
  const stop = new AbortController();
  const reading = transport.json(get, stop.signal);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error('stopping');
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test('no more requests than allowed are under way at once, and all of them are answered', async () => {
  const held: ServerResponse[] = [];
  let most = 0;
  const slow: Answer = (_request, response) => {
    held.push(response);
    most = Math.max(most, held.length);
    if (held.length < 2) return;
    const release = () => held.splice(0).forEach((waiting) => void ok({} as IncomingMessage, waiting));
    setTimeout(release, 10); // a third one would come meanwhile
  };
  const { asked, transport } = await start([slow]);
  await Promise.all(Array.from({ length: 20 }, () => transport.json(get, signal)));
  expect({ most, asked: asked.length }).toEqual({ most: 2, asked: 20 });
});

test('a request that is aborted before it is sent is not sent', async () => {
  const { asked, transport } = await start([ok]);
  await expect(transport.json(get, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  expect(asked).toEqual([]);
});

test('an answer that is cut JSON is malformed, and no secret of it is told', async () => {
  const answer: Answer = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":');
  const { transport } = await start([answer]);
  await expect(transport.json(get, signal)).rejects.toMatchObject({ code: 'MalformedAnswer' });
});

test('the text of a proxy in between is the reason of a refusal', async () => {
  const { transport } = await start([(_request, response) => void response.writeHead(503).end('no upstream\n')]);
  await expect(transport.json(get, signal)).rejects.toMatchObject({ status: 503, message: 'GET /x: no upstream' });
});

describe('credentials', () => {
  const byToken =
    (good: string): Answer =>
    (request, response) =>
      (request.headers.authorization === good ? ok : status(401))(request, response);

  test('that are refused are read anew, and the request is sent once more', async () => {
    const tokens = ['old', 'new'];
    const next = () => ({ authorization: tokens.length > 1 ? (tokens.shift() as string) : (tokens[0] as string) });
    const { asked, transport } = await start([byToken('new')], { credentials: next });
    expect(await transport.json(post, signal)).toEqual({ fine: true });
    expect(asked).toHaveLength(2);
  });

  test('that are the same as before are not sent again', async () => {
    const { asked, transport } = await start([byToken('new')], { credentials: { authorization: 'old' } });
    await expect(transport.json(get, signal)).rejects.toMatchObject({ code: 'Forbidden', status: 401 });
    expect(asked).toHaveLength(1);
  });
});

test('the fence is asked when a request goes out, not when it starts to wait', async () => {
  const held: ServerResponse[] = [];
  const { asked, transport } = await start([(_request, response) => void held.push(response)]);
  const lost = new LeadershipLostError('l', 'paused');
  let closed = false;
  const fence = () => {
    if (closed) throw lost;
  };
  const writes = [1, 2, 3].map((number) => transport.json({ ...post, path: `/${number}`, fence }, signal));
  const outcomes = Promise.allSettled(writes); // two connections: the third write waits
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  closed = true;
  for (const response of held) ok({} as IncomingMessage, response);
  const [one, two, three] = await outcomes;
  expect([one?.status, two?.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(three).toEqual({ status: 'rejected', reason: lost });
  expect(asked).toHaveLength(2);
});

test('a proxy is asked for a tunnel to the server', async () => {
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(String(request.url));
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const connection = {
    server: 'https://hub.example:6443',
    proxy: await listening(proxy),
    credentials: async () => ({}),
  };
  const transport = new Transport(connection, { userAgent: 'test' });
  cleanUp.push(() => transport.close());
  await expect(transport.json(get, signal)).rejects.toMatchObject({ code: 'ApiServerUnreachable' });
  expect(tunnels).toEqual(['hub.example:6443']);
});

test.each<[string, Record<string, string>, number]>([
  ['seconds', { 'retry-after': '7' }, 7000],
  [
    'a date, by the clock of the server',
    { 'retry-after': 'Mon, 01 Jan 2001 00:00:09 GMT', date: 'Mon, 01 Jan 2001 00:00:00 GMT' },
    9000,
  ],
  ['a date without a clock to read it by', { 'retry-after': 'Mon, 01 Jan 2001 00:00:09 GMT' }, 1000],
  ['nothing', {}, 1000],
  ['nonsense', { 'retry-after': 'soon' }, 1000],
])('Retry-After: %s', (_what, headers, want) => {
  expect(retryAfterMs(headers)).toBe(want);
});

test('a wait longer than a caller has patience for is not waited', async () => {
  const { transport, asked } = await start([status(429, {}, { 'retry-after': '3600' })]);
  await expect(transport.json(get, signal)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  expect(asked).toHaveLength(1);
  expect(throttledReadDelayMs(new Error('other'), { method: 'GET', attempt: 1 })).toBeUndefined();
});
