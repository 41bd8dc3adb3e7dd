import { hostname } from 'node:os';
import { type Connection, type Election, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import { type ApiAddress, machineAddress, publishAddress } from './address.ts';
import { readCertificate, selfSignedCertificate } from './certificate.ts';
import type { ApiConfig } from './config.ts';
import type { ImageSource } from './log-stream.ts';
import { startApiServer } from './server.ts';
import { Tls } from './tls.ts';

export type HubApiOptions = {
  config: ApiConfig;
  /** To the hub's API server. */
  connection: Connection;
  namespace: string;
  redisUrl: string;
  log: Logger;
};

/** Those who ask cannot take what the hub itself needs of the API server. */
const REVIEW_CONNECTIONS = 8;
const REVIEW_LIMIT_MS = 10_000;

/** The endpoint for people: every instance of the hub serves it, the one that leads tells where. */
export class HubApi implements AsyncDisposable {
  readonly #options: HubApiOptions;
  readonly #client: KubeClient;
  #address: (() => ApiAddress) | undefined;

  constructor(options: HubApiOptions) {
    this.#options = options;
    const limits = { connections: REVIEW_CONNECTIONS, timeoutMs: REVIEW_LIMIT_MS };
    this.#client = new KubeClient(options.connection, 'kmm-hub-api', limits);
  }

  /** Serves until aborted; answers with the address. @throws UsageError */
  async start(images: ImageSource, signal: AbortSignal): Promise<string> {
    const { config, redisUrl, log } = this.#options;
    const tls = await Tls.load({ client: this.#client, load: this.#certificates(), log });
    const port = await startApiServer(
      { port: config.port ?? 0, tls, client: this.#client, redisUrl, images, log },
      signal,
    );
    const url = config.url ?? `https://${inUrl(machineAddress())}:${port}`;
    this.#address = () => ({ url, ...(tls.ca !== undefined && { ca: tls.ca }) });
    return url;
  }

  /** The election, with the address being published while this instance leads. `client` writes as its leader. */
  publishing(election: Pick<Election, 'run'>, client: KubeClient): Pick<Election, 'run'> {
    const { namespace, log } = this.#options;
    return {
      run: (work, signal) =>
        election.run(async (term) => {
          const address = this.#address;
          const publishing = address && publishAddress({ client, namespace, address, log }, term);
          await Promise.all([work(term), publishing]);
        }, signal),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #certificates() {
    const { files, url } = this.#options.config;
    if (files !== undefined) return () => readCertificate(files);
    const host = url === undefined ? machineAddress() : new URL(url).hostname.replace(/^\[|\]$/g, '');
    const made = selfSignedCertificate([...new Set([host, hostname(), 'localhost', '127.0.0.1', '::1'])]);
    return () => made;
  }
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
