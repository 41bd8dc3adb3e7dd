import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from '@kmm-hub/lab';

/** Stands before a registry, and is to its clients what registries are in bad times. */
export type RegistryGate = {
  /** First part of its image references, as Registry.host. */
  readonly host: string;
  /** `read-only`: pushes are refused, as without the right for it. `away`: connections end without an answer. */
  mode: 'open' | 'read-only' | 'away';
  stop(): Promise<void>;
};

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];

export async function startRegistryGate(registry: Registry): Promise<RegistryGate> {
  const server = createServer((incoming, answer) => {
    if (gate.mode === 'away') incoming.socket.destroy();
    else if (gate.mode === 'read-only' && WRITES.includes(incoming.method ?? '')) refuse(answer);
    else forward(incoming, answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gate: RegistryGate = { host, mode: 'open', stop };

  function forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url: path = '/', headers } = incoming; // with its Host: uploads go on at the gate
    const outgoing: ClientRequest = request({ host: '127.0.0.1', port: registry.port, method, path, headers });
    outgoing.once('error', () => answer.destroy());
    outgoing.once('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(outgoing);
  }
  return gate;
}

/** As the distribution spec has it. */
function refuse(answer: ServerResponse): void {
  answer.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [{ code: 'DENIED' }] }));
}
