import { createRegistryClient, type Platform } from '../src/index.ts';
import { type DockerRegistryOptions, registryUser, startDockerRegistry } from './docker-registry.ts';
import { lookupLoopback } from './http-server.ts';
import type { RegistryUnderTest } from './registry-conformance.ts';
import { startTokenServer } from './token-server.ts';

export type UnderTestOptions = Omit<DockerRegistryOptions, 'tokens'> & {
  /** Asks for tokens, of a server of its own, in place of passwords. */
  tokenAuth?: boolean;
};

/** A server of that kind, and clients that have what it asks for. */
export async function startUnderTest({ tokenAuth, ...options }: UnderTestOptions): Promise<RegistryUnderTest> {
  await using stack = new AsyncDisposableStack(); // ends what did start when something does not
  const tokens = tokenAuth ? stack.use(await startTokenServer(registryUser)) : undefined;
  const server = stack.use(await startDockerRegistry({ ...options, tokens }));
  const credentials = tokenAuth || options.basicAuth ? registryUser : undefined;
  const clientFor = (platform?: Platform) => {
    const client = createRegistryClient({ auth: () => credentials, ca: server.ca, lookup: lookupLoopback, platform });
    return started.adopt(client, () => client.close());
  };
  const started = stack.move();
  return { host: server.host, client: clientFor(), clientFor, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
