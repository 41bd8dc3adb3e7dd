import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HubLink, startHubLink } from './hub-link.ts';

let link: HubLink;
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await startHubLink((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await link.stop();
  await new Promise((resolve) => server.close(resolve));
});

function dial(): Socket {
  const socket = connect({ port: Number(new URL(link.url).port), host: '127.0.0.1' });
  return socket.on('error', () => undefined); // told by the close
}

const closed = (socket: Socket) =>
  new Promise<'closed'>((resolve) => void socket.once('close', () => resolve('closed')));

/** What comes of a written byte: it comes back, or the connection ends. */
function talk(socket: Socket): Promise<'echo' | 'closed'> {
  const echo = new Promise<'echo'>((resolve) => void socket.once('data', () => resolve('echo')));
  const ended = closed(socket);
  socket.write('x');
  return Promise.race([echo, ended]);
}

test('bytes pass', async () => {
  const socket = dial();
  expect(await talk(socket)).toBe('echo');
  socket.destroy();
});

test('a cut ends what is open and what is opened, until it is mended', async () => {
  const open = dial();
  expect(await talk(open)).toBe('echo');
  const ended = closed(open);
  link.cut();
  await ended;
  expect(await talk(dial())).toBe('closed');
  link.mend();
  const again = dial();
  expect(await talk(again)).toBe('echo');
  again.destroy();
});
