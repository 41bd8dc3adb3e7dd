import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as ask, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@kmm-hub/kube';
import { createAuthority } from '../servers/certificates.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import { answerWith, duplicateLines, expire, type Fault } from './faults.ts';

export type ProxiedRequest = {
  method: string;
  /** With its query. */
  path: string;
  /** True for a GET with watch=true. */
  watch: boolean;
};

export type FaultProxyOptions = {
  plane: Pick<ControlPlane, 'url' | 'caPem' | 'issueClientCertificate'>;
  /** Absolute path of a folder for its keys. */
  folder: string;
};

/** Stands between a client and an API server, and does to their talk what networks and servers do in bad times. */
export type FaultProxy = {
  readonly url: string;
  readonly caPem: string;
  /** As a member of system:masters; a client that sends a token of its own is whom that says. */
  readonly connection: Connection;
  /** Asked for every request; undefined lets it pass. */
  decide: (request: ProxiedRequest) => Fault | undefined;
  /** Every request so far, refused ones too. */
  readonly requests: readonly ProxiedRequest[];
  /** Closes every connection on which an answer is under way. */
  cutAll(): void;
  /** Every answer that is under way goes silent, its connection stays open; new requests pass. */
  stallAll(): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

type Exchange = { request: IncomingMessage; response: ServerResponse; upstream?: IncomingMessage };

export async function startFaultProxy({ plane, folder }: FaultProxyOptions): Promise<FaultProxy> {
  const authority = await createAuthority(join(folder, 'fault-proxy'), 'fault proxy');
  const serving = await authority.issue({ commonName: 'fault-proxy', serverNames: ['IP:127.0.0.1'] });
  const client = await plane.issueClientCertificate({ commonName: 'fault-proxy', organizations: ['system:masters'] });
  const server = createServer({ cert: serving.certPem, key: serving.keyPem });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy = new Faults({
    upstream: plane.url,
    ca: plane.caPem,
    client: { cert: client.certPem, key: client.keyPem },
  });
  server.on('request', (request, response) => void proxy.handle(request, response));
  const stop = async () => {
    proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const connection = { server: url, credentials: async () => ({ ca: authority.certPem }) };
  return Object.assign(proxy, { url, caPem: authority.certPem, connection, stop, [Symbol.asyncDispose]: stop });
}

type Upstream = { upstream: string; ca: string; client: { cert: string; key: string } };

class Faults {
  decide: FaultProxy['decide'] = () => undefined;
  readonly requests: ProxiedRequest[] = [];
  readonly #open = new Set<Exchange>();
  readonly #upstream: string;
  readonly #asMaster: Agent;
  readonly #asTokenSays: Agent;

  constructor({ upstream, ca, client }: Upstream) {
    this.#upstream = upstream;
    this.#asMaster = new Agent({ keepAlive: true, ca, ...client });
    this.#asTokenSays = new Agent({ keepAlive: true, ca });
  }

  cutAll(): void {
    for (const { response } of this.#open) response.destroy();
  }

  stallAll(): void {
    for (const { upstream, response } of this.#open) {
      upstream?.unpipe();
      upstream?.pause();
      response.cork(); // what the transform still holds stays there too
    }
  }

  close(): void {
    this.cutAll();
    this.#asMaster.destroy();
    this.#asTokenSays.destroy();
  }

  /** A connection that breaks on either side breaks the other one: that is what a proxy under test is for. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange: Exchange = { request, response };
    this.#open.add(exchange);
    response.once('close', () => {
      this.#open.delete(exchange);
      exchange.upstream?.destroy();
    });
    const proxied = proxiedRequest(request);
    this.requests.push(proxied);
    try {
      await this.#treat(exchange, this.decide(proxied));
    } catch {
      response.destroy();
    }
  }

  async #treat(exchange: Exchange, fault: Fault | undefined): Promise<void> {
    const { response } = exchange;
    if (fault?.kind === 'answer') return answerWith(fault, response);
    if (fault?.kind === 'expire') return expire(response);
    if (fault?.kind === 'cut') return void response.destroy();
    if (fault?.kind === 'stall') return undefined;
    if (fault?.kind === 'delay') await sleep(fault.ms);
    exchange.upstream = await this.#forward(exchange.request);
    if (fault?.kind === 'lose') return void response.destroy();
    if (response.destroyed) return void exchange.upstream.destroy();
    response.writeHead(exchange.upstream.statusCode ?? 502, exchange.upstream.headers);
    response.flushHeaders(); // those of a watch come before its first event
    if (fault?.kind === 'duplicate') await pipeline(exchange.upstream, duplicateLines(), response);
    else await pipeline(exchange.upstream, response);
  }

  #forward(request: IncomingMessage): Promise<IncomingMessage> {
    const { hostname, port } = new URL(this.#upstream);
    const agent = request.headers.authorization === undefined ? this.#asMaster : this.#asTokenSays;
    const { host: _, ...headers } = request.headers;
    const { method, url: path } = request;
    return new Promise((resolve, reject) => {
      const forwarded = ask({ hostname, port, method, path, headers, agent }, resolve);
      forwarded.once('error', reject);
      pipeline(request, forwarded).catch(reject);
    });
  }
}

function proxiedRequest({ method = '', url = '' }: IncomingMessage): ProxiedRequest {
  const watch = method === 'GET' && /[?&]watch=true(&|$)/.test(url);
  return { method, path: url, watch };
}
