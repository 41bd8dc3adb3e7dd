import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';

export type DockerRegistry = AsyncDisposable & { host: string };

/** `hub` with the password `secret`, as `htpasswd -B` writes it. */
const HTPASSWD = 'hub:$2b$04$N9PGHYk./WFKV5/wqXLQIe5ZRBCh73odkN.sw6RItREpNviKnP6Du\n';
export const registryUser = { username: 'hub', password: 'secret' };

const START_LIMIT_MS = 20_000;

/** Debian's docker-registry on a free loopback port, with a folder of its own; `basicAuth` asks for `registryUser`. */
export async function startDockerRegistry({ basicAuth = false } = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const htpasswd = join(folder, 'htpasswd');
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'test' },
    ...(basicAuth && { auth: { htpasswd: { realm: 'test', path: htpasswd } } }),
  };
  await writeFile(htpasswd, HTPASSWD);
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config)); // JSON is YAML
  const server = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const exited = once(server, 'exit');
  await untilAnswers(host);
  return {
    host,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(host: string): Promise<void> {
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  for (;;) {
    const answer = await request(`http://${host}/v2/`, { signal: limit }).catch(() => undefined);
    await answer?.body.dump();
    if (answer !== undefined) return;
    await pause(20, undefined, { signal: limit });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
