import { createRegistryClient } from '../src/index.ts';
import { type DockerRegistryOptions, registryUser, startDockerRegistry } from './docker-registry.ts';
import { lookupLoopback } from './http-server.ts';
import type { RegistryUnderTest } from './registry-conformance.ts';

/** A server of that kind, and a client that has what it asks for. */
export async function startUnderTest(options: DockerRegistryOptions): Promise<RegistryUnderTest> {
  const server = await startDockerRegistry(options);
  const auth = () => (options.basicAuth ? registryUser : undefined);
  const client = createRegistryClient({ auth, ca: server.ca, lookup: lookupLoopback });
  const stop = async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { host: server.host, client, [Symbol.asyncDispose]: stop };
}
