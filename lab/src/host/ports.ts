import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { NotReadyError } from './errors.ts';

/** Below the ports that Linux gives to outgoing connections: a server that restarts finds its port still free. */
const range = { from: 20_000, to: 32_000 };
const attempts = 50;
/** What this process was given: between the look and the server's start a port is still free. */
const given = new Set<number>();

/** A TCP port that nothing on 127.0.0.1 listens on now, another one each time. Drawn at random, so that worlds side by side do not meet. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(range.from, range.to);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new NotReadyError(`a free port between ${range.from} and ${range.to}`, 0, { remedy: 'Stop other servers.' });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
