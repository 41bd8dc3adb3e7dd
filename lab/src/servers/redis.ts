import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import { NotReadyError } from '../host/errors.ts';
import { freePort } from '../host/ports.ts';
import { type Restartable, startRestartable } from '../host/restartable.ts';
import type { ServerOptions } from './registry.ts';

export type Redis = {
  /** With its password: `redis://:<password>@127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  readonly password: string;
  readonly process: Restartable;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts redis-server on a free port of 127.0.0.1 with a random password, and `noeviction` as BullMQ demands.
 * `persistent`: what was written outlives a restart (append-only file). Default false.
 * @throws ProcessExitedError, NotReadyError.
 */
export async function startRedis(options: ServerOptions & { persistent?: boolean }): Promise<Redis> {
  const { folder, persistent = false, signal } = options;
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  await mkdir(folder, { recursive: true });
  const configFile = join(folder, 'redis.conf');
  await writeFile(configFile, configuration({ port, password, folder, persistent }), { mode: 0o600 });
  const process = await startRestartable({
    name: 'redis',
    command: 'redis-server',
    args: [configFile],
    logFile: join(folder, 'redis.log'),
    ready: (limit) => expectPong({ port, password }, limit),
    signal,
  });
  const stop = async () => void (await process.stop());
  const url = `redis://:${password}@127.0.0.1:${port}`;
  return { url, port, password, process, stop, [Symbol.asyncDispose]: stop };
}

function configuration(server: { port: number; password: string; folder: string; persistent: boolean }): string {
  const settings = {
    bind: '127.0.0.1',
    port: server.port,
    requirepass: server.password,
    'maxmemory-policy': 'noeviction',
    dir: JSON.stringify(server.folder),
    save: '""',
    appendonly: server.persistent ? 'yes' : 'no',
    daemonize: 'no',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

async function expectPong({ port, password }: { port: number; password: string }, signal: AbortSignal): Promise<void> {
  const args = ['-h', '127.0.0.1', '-p', String(port), 'ping'];
  const answer = await runCommand('redis-cli', args, { env: { REDISCLI_AUTH: password }, signal });
  if (answer !== 'PONG') throw new NotReadyError(`redis (it answers ${answer})`, 0);
}
