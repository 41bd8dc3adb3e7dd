import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../host/ports.ts';
import { type Restartable, startRestartable } from '../host/restartable.ts';
import { expectOk } from './expect-ok.ts';

export type Registry = {
  /**
   * First part of its image references, `127.0.0.1:<port>`. Clients take loopback for insecure and speak plain HTTP. A guest of
   * QEMU's user network needs a forwarder of its own from 127.0.0.1:<port> to 10.0.2.2:<port>; then references are the same.
   */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Every digest that a tag has ever shown, e.g. of `hello-kmod` and `6.1.0-53-cloud-amd64`; empty for a tag never written. */
  tagHistory(repository: string, tag: string): Promise<string[]>;
  readonly process: Restartable;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type ServerOptions = {
  /** Absolute path of a folder for this server alone; holds its configuration, data and log. */
  folder: string;
  /** Ends the start; a running server is ended by `stop`. */
  signal: AbortSignal;
};

/**
 * Starts Debian's docker-registry on a free port of 127.0.0.1, open to all, deletion allowed.
 * @throws ProcessExitedError, NotReadyError.
 */
export async function startRegistry({ folder, signal }: ServerOptions): Promise<Registry> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}`;
  await mkdir(folder, { recursive: true });
  const configFile = join(folder, 'registry.yaml');
  const storage = join(folder, 'registry');
  await writeFile(configFile, stringify(configuration(host, storage)), { mode: 0o600 });
  const process = await startRestartable({
    name: 'registry',
    command: 'docker-registry',
    args: ['serve', configFile],
    logFile: join(folder, 'registry.log'),
    ready: (limit) => expectOk(`${url}/v2/`, limit),
    signal,
  });
  const stop = async () => void (await process.stop());
  const tagHistory = (repository: string, tag: string) => digestsOf(storage, { repository, tag });
  return { host, port, url, tagHistory, process, stop, [Symbol.asyncDispose]: stop };
}

/** The registry's storage keeps one folder for each digest that a tag was set to. */
async function digestsOf(storage: string, { repository, tag }: { repository: string; tag: string }): Promise<string[]> {
  const repositories = join(storage, 'docker/registry/v2/repositories');
  const index = join(repositories, repository, '_manifests/tags', tag, 'index/sha256');
  const digests = await readdir(index).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return digests.map((digest) => `sha256:${digest}`);
}

/** https://distribution.github.io/distribution/about/configuration/ */
function configuration(addr: string, rootdirectory: string) {
  return {
    version: '0.1',
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr, secret: randomBytes(16).toString('hex') }, // kept over restarts: uploads under way go on
  };
}
