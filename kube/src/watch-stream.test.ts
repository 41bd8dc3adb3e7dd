import { Readable } from 'node:stream';
import type { KubeObject } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readWatchEvents, type WatchEvent } from './watch-stream.ts';

const of = { server: 'https://s', request: 'GET /w' };
const event = (name: string) => ({ type: 'ADDED' as const, object: { metadata: { name } } });
const line = (name: string) => `${JSON.stringify(event(name))}\n`;

async function readAll(chunks: AsyncIterable<Buffer> | Buffer[]): Promise<WatchEvent<KubeObject>[]> {
  const events: WatchEvent<KubeObject>[] = [];
  for await (const one of readWatchEvents(Readable.from(chunks, { objectMode: false }), of)) events.push(one);
  return events;
}

test('reads events wherever the chunks are cut, also within a character', async () => {
  const bytes = Buffer.from(line('ä') + line('日本') + line('c'));
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    expect(await readAll(chunks)).toEqual([event('ä'), event('日本'), event('c')]);
  }
});

test('passes over empty lines and over a line that the end cut off', async () => {
  expect(await readAll([Buffer.from(`\n${line('a')}\r\n{"type":"ADD`)])).toEqual([event('a')]);
});

test('an ERROR event is the error of its status', async () => {
  const status = { code: 410, reason: 'Expired', message: 'too old resource version' };
  const chunks = [Buffer.from(line('a') + JSON.stringify({ type: 'ERROR', object: status }).concat('\n'))];
  await expect(readAll(chunks)).rejects.toMatchObject({ code: 'ResourceExpired', status: 410 });
});

test('a connection that breaks is an unreachable server', async () => {
  async function* broken() {
    yield Buffer.from(line('a'));
    throw new Error('other side closed');
  }
  await expect(readAll(broken())).rejects.toMatchObject({
    code: 'ApiServerUnreachable',
    message: 'API server https://s does not answer: other side closed',
  });
});

test('a line that is no JSON is a malformed answer', async () => {
  await expect(readAll([Buffer.from('<html>\n')])).rejects.toMatchObject({ code: 'MalformedAnswer' });
});

test('an event without an end is refused before it fills the memory', async () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  await expect(readAll(Array.from({ length: 20 }, () => megabyte))).rejects.toMatchObject({ code: 'MalformedAnswer' });
});

test('who leaves the loop ends the connection', async () => {
  const body = Readable.from([Buffer.from(line('a') + line('b'))], { objectMode: false });
  for await (const _ of readWatchEvents(body, of)) break;
  expect(body.destroyed).toBe(true);
});
