import type { Server, ServerOptions } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { type KubeClient, Reflector, sleep } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { ServingCertificate } from './certificate.ts';

/** Where every API server says which authority certifies its clients (k8s.io/apiserver, delegated authentication). */
const AUTHENTICATION = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
const CLIENT_CA = 'client-ca-file';

export type TlsDeps = {
  client: KubeClient;
  /** The certificate of now, e.g. as its files say. */
  load: () => Promise<ServingCertificate>;
  /** How often it is loaded again. Default a minute: files are replaced long before a certificate ends. */
  lookAgainMs?: number;
  log: Logger;
};

/** What the endpoint proves itself with, and which clients' certificates it believes; both may change while it serves. */
export class Tls {
  readonly #deps: TlsDeps;
  readonly #reflector: Reflector<ConfigMap>;
  #certificate: ServingCertificate;
  #clientCa: string | undefined;

  /** @throws what `load` throws */
  static async load(deps: TlsDeps): Promise<Tls> {
    return new Tls(deps, await deps.load());
  }

  private constructor(deps: TlsDeps, certificate: ServingCertificate) {
    const { namespace, name } = AUTHENTICATION;
    const select = { namespace, fieldSelector: `metadata.name=${name}` };
    this.#deps = deps;
    this.#certificate = certificate;
    this.#reflector = new Reflector({ client: deps.client, resource: configMap, select, log: deps.log });
  }

  /** For the server's start. A connection without a certificate is fine: it may bring a token. */
  get options(): ServerOptions {
    return { ...this.#context, requestCert: true, rejectUnauthorized: false };
  }

  /** PEM of what clients must trust; undefined: what they trust anyway. */
  get ca(): string | undefined {
    return this.#certificate.ca;
  }

  /** False while it is not known who certifies clients: then no certificate proves anything. */
  get knowsClients(): boolean {
    return this.#clientCa !== undefined;
  }

  /** Keeps the server's certificates those of now until aborted. */
  async follow(server: Server, signal: AbortSignal): Promise<void> {
    this.#reflector.cache.onChange(({ current }) => {
      this.#clientCa = current?.data?.[CLIENT_CA];
      this.#apply(server);
    });
    await Promise.all([this.#reflector.run(signal), this.#reload(server, signal)]);
  }

  async #reload(server: Server, signal: AbortSignal): Promise<void> {
    const { lookAgainMs = 60_000 } = this.#deps;
    while (!signal.aborted) {
      await sleep(lookAgainMs, signal);
      try {
        const now = await this.#deps.load();
        if (JSON.stringify(now) === JSON.stringify(this.#certificate)) continue;
        this.#certificate = now;
        this.#apply(server);
      } catch (err) {
        this.#deps.log.warn({ err }, 'certificate of the endpoint not read; the last one stays');
      }
    }
  }

  /** What OpenSSL does not take, such as a certificate with another one's key in the midst of a change, changes nothing. */
  #apply(server: Server): void {
    try {
      server.setSecureContext(this.#context);
    } catch (err) {
      this.#deps.log.warn({ err }, 'certificates of the endpoint not taken over');
    }
  }

  /** An empty list of authorities: left out, Node would believe clients of all authorities of the web. */
  get #context(): SecureContextOptions {
    const { cert, key } = this.#certificate;
    return { cert, key, ca: this.#clientCa ?? [] };
  }
}
