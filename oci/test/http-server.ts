import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { onTestFinished } from 'vitest';
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from '../src/registry-client.ts';

export type TestServer = { host: string; port: number; seen: IncomingMessage[]; server: Server };

/** A server of our own on a free loopback port until the test ends; `seen` are the requests so far. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, port, seen, server };
}

/** A client that does not wait between its tries, until the test ends. */
export function clientOf(options: RegistryClientOptions = {}): RegistryClient {
  const client = createRegistryClient({ retryDelayMs: 1, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Every name means this machine: the only way to have hosts in a test that are not called loopback. */
export const lookupLoopback: LookupFunction = (_hostname, options, callback) => {
  const found = { address: '127.0.0.1', family: 4 };
  if (options.all) callback(null, [found]);
  else callback(null, found.address, found.family);
};

/** For a server that goes by a name: found on this machine, over plain HTTP. */
export const named = { lookup: lookupLoopback, insecureHosts: () => true };
