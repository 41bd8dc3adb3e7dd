import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import type { ControlPlane } from '@kmm-hub/lab';
import { answerWith } from '../../lab/src/faults/faults.ts';
import { createAuthority } from '../../lab/src/servers/certificates.ts';

/** `refuse`: 503, and the API server never sees it. `hold`: no answer until `refuseHeld`. */
export type Treatment = 'pass' | 'refuse' | 'hold';

/** `path` with its query. */
export type Write = { method: string; path: string };

/**
 * Stands between one hub and its API server, and sees what that hub alone writes. It keeps idle connections as long as an API
 * server does, so that a hub which goes on after a pause has the ones on which it could write at once.
 */
export type ApiGate = {
  readonly url: string;
  readonly caPem: string;
  /** Every write that came, in that order, whatever became of it. */
  readonly writes: readonly Write[];
  /** Asked when a write comes. */
  treat: (write: Write) => Treatment;
  /** Answers all that is held, before it returns. */
  refuseHeld(): void;
  stop(): Promise<void>;
};

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];
const KEEP_ALIVE_MS = 90_000;
const OVERLOADED = { kind: 'answer', status: 503 } as const;

/** `folder`: absolute path, for its keys. */
export async function startApiGate({ port, caPem }: ControlPlane, folder: string): Promise<ApiGate> {
  const authority = await createAuthority(join(folder, 'api-gate'), 'api gate');
  const { certPem, keyPem } = await authority.issue({ commonName: 'api-gate', serverNames: ['IP:127.0.0.1'] });
  const agent = new Agent({ keepAlive: true, ca: caPem });
  const server = createServer({ cert: certPem, key: keyPem, keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, answer) => {
    const { method = 'GET', url: path = '/' } = incoming;
    const write = { method, path };
    if (!WRITES.includes(method)) return forward(incoming, answer);
    writes.push(write);
    const treatment = gate.treat(write);
    if (treatment === 'pass') forward(incoming, answer);
    else if (treatment === 'hold') held.push(answer);
    else answerWith(OVERLOADED, answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const writes: Write[] = [];
  const held: ServerResponse[] = [];
  const refuseHeld = () => {
    for (const answer of held.splice(0)) answerWith(OVERLOADED, answer);
  };
  const stop = async () => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gate: ApiGate = { url, caPem: authority.certPem, writes, treat: () => 'pass', refuseHeld, stop };

  /** An end or an error of one side is the end of the other one too. */
  function forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers).flushHeaders(); // those of a watch come before its first event
      pipeline(response, answer, () => undefined);
    });
    outgoing.on('error', () => answer.destroy());
    answer.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
  return gate;
}
