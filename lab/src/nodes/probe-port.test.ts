import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NodeUnreachableError, ProbeRefusedError } from './errors.ts';
import { ProbePort } from './probe-port.ts';

type Guest = (question: { nonce: string; command: string; socket: Socket }) => void;

let folder: string;
let server: Server | undefined;
let port: ProbePort;
const { signal } = new AbortController(); // vitest's own limits end what hangs

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-probe-'));
  port = new ProbePort({ node: 'worker', socketPath: join(folder, 'probe.sock'), consoleLog: 'console.log' });
});
afterEach(async () => {
  port.close();
  server?.close();
  await rm(folder, { recursive: true });
});

async function guest(answer: Guest): Promise<void> {
  const listening = createServer((socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const [nonce = '', ...command] = line.split(' ');
      answer({ nonce, command: command.join(' '), socket });
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(join(folder, 'probe.sock'), resolve));
}

test('gives the lines between begin and end', async () => {
  await guest(({ nonce, socket }) => socket.write(`${nonce} begin\none\ntwo\n${nonce} end 0\n`));
  expect(await port.ask('modules', signal)).toBe('one\ntwo');
});

test('puts an answer together that comes in pieces', async () => {
  await guest(({ nonce, socket }) => {
    socket.write(`${nonce} beg`);
    setImmediate(() => socket.write(`in\nhalf and`));
    setImmediate(() => socket.write(` half\n${nonce} en`));
    setImmediate(() => socket.write(`d 0\n`));
  });
  expect(await port.ask('dmesg', signal)).toBe('half and half');
});

test('does not take the rest of an earlier answer for its own', async () => {
  await guest(({ nonce, socket }) => socket.write(`old line\ncafe end 0\n${nonce} begin\nmine\n${nonce} end 0\n`));
  expect(await port.ask('uname', signal)).toBe('mine');
});

test('is not fooled by a kernel log that speaks of an end', async () => {
  await guest(({ nonce, socket }) => socket.write(`${nonce} begin\nx ${nonce} end 0\n0 end 0\n${nonce} end 0\n`));
  expect(await port.ask('dmesg', signal)).toMatch(/^x [0-9a-f]+ end 0\n0 end 0$/);
});

test('asks one question after the other', async () => {
  let open = 0;
  await guest(({ nonce, command, socket }) => {
    open += 1;
    expect(open).toBe(1);
    setImmediate(() => {
      open -= 1;
      socket.write(`${nonce} begin\n${command}\n${nonce} end 0\n`);
    });
  });
  const answers = await Promise.all(['uname', 'boot-id', 'dmesg'].map((command) => port.ask(command, signal)));
  expect(answers).toEqual(['uname', 'boot-id', 'dmesg']);
});

test('a refusal says what was refused and leaves the port usable', async () => {
  await guest(({ nonce, command, socket }) =>
    socket.write(`${nonce} begin\n${nonce} end ${command === 'uname' ? 0 : 64}\n`),
  );
  await expect(port.ask('format disk', signal)).rejects.toThrow(ProbeRefusedError);
  expect(await port.ask('uname', signal)).toBe('');
});

test('a node that is off is unreachable at once', async () => {
  await expect(port.ask('uname', signal)).rejects.toThrow(NodeUnreachableError);
});

test('a node that hangs is unreachable after the limit', async () => {
  await guest(() => undefined);
  await expect(port.ask('uname', signal, 50)).rejects.toThrow(NodeUnreachableError);
});

test('a node switched off in mid-answer is unreachable, and asked again when it is back', async () => {
  let starts = 0;
  await guest(({ nonce, socket }) => {
    starts += 1;
    socket.write(`${nonce} begin\n`);
    if (starts === 1) socket.destroy();
    else socket.write(`${nonce} end 0\n`);
  });
  await expect(port.ask('uname', signal)).rejects.toThrow(NodeUnreachableError);
  expect(await port.ask('uname', signal)).toBe('');
});

test('an abort ends a question with the reason of the abort', async () => {
  const abort = new AbortController();
  await guest(() => abort.abort(new Error('enough')));
  await expect(port.ask('uname', abort.signal)).rejects.toThrow('enough');
});
