import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../lab/src/host/ports.ts';
import { makeCertificate } from './certificates.ts';
import type { TokenServer } from './token-server.ts';

/** `ca`: the authority of its certificate, where it speaks TLS. */
export type DockerRegistry = AsyncDisposable & { host: string; ca: string | undefined };

export type DockerRegistryOptions = {
  basicAuth?: boolean;
  /** Then it takes this server's tokens and nothing else; not for v3, whose program is built without it. */
  tokens?: TokenServer | undefined;
  /** Then it goes by `tlsName`, which only a client with a lookup of its own finds. */
  tls?: boolean;
  /** The server; default: Debian's docker-registry (2.8). */
  program?: string;
};

export const tlsName = 'registry.example';

/** `hub` with the password `secret`, as `htpasswd -B` writes it. */
const HTPASSWD = 'hub:$2b$04$N9PGHYk./WFKV5/wqXLQIe5ZRBCh73odkN.sw6RItREpNviKnP6Du\n';
export const registryUser = { username: 'hub', password: 'secret' };

const START_LIMIT_MS = 120_000;

/** A registry on a free loopback port, with a folder of its own; `basicAuth` asks for `registryUser`. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const { basicAuth = false, tokens, tls = false, program = 'docker-registry' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'oci-registry-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const htpasswd = join(folder, 'htpasswd');
  const certificate = tls ? await makeCertificate(folder, tlsName) : undefined;
  const files = certificate && { certificate: certificate.certificateFile, key: certificate.keyFile };
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: address, secret: 'test', ...(files && { tls: files }) },
    ...(basicAuth && { auth: { htpasswd: { realm: 'test', path: htpasswd } } }),
    ...(tokens && { auth: { token: tokens.registryConfig } }),
  };
  await writeFile(htpasswd, HTPASSWD);
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config)); // JSON is YAML
  const server = spawn(program, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  await once(server, 'spawn'); // a program that is not there ends here
  const ended = new AbortController();
  const exited = once(server, 'exit').then(() => ended.abort(new Error(`${program} ended`)));
  await untilListens(port, ended.signal);
  return {
    host: tls ? `${tlsName}:${port}` : address,
    ca: certificate?.ca,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilListens(port: number, ended: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([ended, AbortSignal.timeout(START_LIMIT_MS)]);
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const listens = await once(socket, 'connect', { signal: limit }).catch(() => undefined);
    socket.destroy();
    if (listens !== undefined) return;
    await pause(20, undefined, { signal: limit });
  }
}
