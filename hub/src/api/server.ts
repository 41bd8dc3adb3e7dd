import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { explain, HubError, UsageError } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { BuildLogReader } from '@kmm-hub/queue/client';
import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'pino';
import { Access } from './access.ts';
import { RequestError, WrongRequestError } from './errors.ts';
import { addLogRoutes } from './log-routes.ts';
import type { ImageSource } from './log-stream.ts';
import { RequestLife } from './request-life.ts';
import type { User } from './reviews.ts';
import type { Tls } from './tls.ts';

export type ApiServerOptions = {
  /** 0: one that is free. */
  port: number;
  tls: Tls;
  /** For reviews; without the fence of the leader, since a standby answers too. */
  client: KubeClient;
  redisUrl: string;
  images: ImageSource;
  log: Logger;
};

declare module 'fastify' {
  interface FastifyRequest {
    life: RequestLife;
    user: User;
  }
}

/** More than people look at once; each connection costs memory before anybody is known. */
const MAX_CONNECTIONS = 256;
const HANDSHAKE_LIMIT_MS = 10_000;
/** For a request to come in; a GET has no body. */
const RECEIVE_LIMIT_MS = 10_000;
const MAX_BODY_BYTES = 1_024;
/** A client that vanished without a word is noticed by the kernel. */
const KEEP_ALIVE_MS = 30_000;

/**
 * The hub's own HTTPS endpoint, until aborted; answers with the port. Whoever asks proves to be a user of the API server,
 * and may what the API server says. @throws UsageError when the port or the certificate cannot be used.
 */
export async function startApiServer(options: ApiServerOptions, signal: AbortSignal): Promise<number> {
  const { port, client, redisUrl, images, log, tls } = options;
  const logs = new BuildLogReader(redisUrl);
  const app = createApp(tls);
  const access = new Access(client);
  identifyAll(app, { access, tls }, signal);
  addLogRoutes(app, { access, logs, images, log });
  answerErrors(app, log);
  signal.addEventListener('abort', () => {
    app.server.close();
    app.server.closeAllConnections();
    logs[Symbol.dispose](); // else its connection keeps the process alive
  });
  await app.ready();
  await listen(app.server, port);
  void tls.follow(app.server, signal); // never rejects
  return (app.server.address() as AddressInfo).port;
}

type App = ReturnType<typeof createApp>;

function createApp(tls: Tls) {
  try {
    const app = fastify({
      https: {
        ...tls.options,
        handshakeTimeout: HANDSHAKE_LIMIT_MS,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      },
      requestTimeout: RECEIVE_LIMIT_MS,
      bodyLimit: MAX_BODY_BYTES,
      ajv: { customOptions: { removeAdditional: false } }, // a misspelt parameter is told, not dropped
    });
    app.server.maxConnections = MAX_CONNECTIONS;
    return app;
  } catch (err) {
    const remedy = 'Give the certificate and the key that belongs to it, both as PEM.';
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(`--api-certificate cannot be used: ${explain(err)}`, remedy, { cause: err });
  }
}

/** Before anything else is looked at: who is unknown learns nothing, not even what is served. */
function identifyAll(app: App, { access, tls }: { access: Access; tls: Tls }, signal: AbortSignal): void {
  app.addHook('onRequest', async (request, reply) => {
    request.life = new RequestLife(reply.raw, signal);
    const peer = request.raw.socket as TLSSocket;
    const { subject } = peer.authorized && tls.knowsClients ? peer.getPeerCertificate() : {};
    const { authorization } = request.headers;
    request.user = await access.identify({ authorization, subject }, request.life.signal);
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
}

/** Plain words: the answer is read by a person at a terminal. */
function answerErrors(app: App, log: Logger): void {
  app.setNotFoundHandler(({ url }, reply) =>
    sendError(reply, new WrongRequestError(`${url.slice(0, 200)} is not served`, 404)),
  );
  app.setErrorHandler<FastifyError>((err, request: FastifyRequest, reply) => {
    if (request.life?.signal.aborted) return reply.hijack(); // nobody is there any more
    if (err instanceof HubError) {
      if (!(err instanceof RequestError)) log.warn({ err }, 'request not answered');
      return sendError(reply, err);
    }
    if (err.statusCode !== undefined && err.statusCode < 500) {
      return sendError(reply, new WrongRequestError(err.message, err.statusCode));
    }
    log.error({ err }, 'request failed by a mistake in the program');
    return reply.code(500).type('text/plain').send('the hub made a mistake; its log has the details\n');
  });
}

function sendError(reply: FastifyReply, err: HubError): FastifyReply {
  const status = err instanceof RequestError ? err.status : 503;
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="kmm-hub"');
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .send(`${explain(err)}\n`);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err) => {
      reject(
        new UsageError(`--api-port ${port} cannot be used: ${err.message}`, 'Choose another port, or 0 for none.'),
      );
    });
    server.listen(port, resolve);
  });
}
