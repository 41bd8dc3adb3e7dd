import { expect, test } from 'vitest';
import { createRegistryClient, RegistryDeniedError } from '../src/index.ts';
import { registryUser, startDockerRegistry } from './docker-registry.ts';
import { registryConformance } from './registry-conformance.ts';

async function start(basicAuth: boolean) {
  const server = await startDockerRegistry({ basicAuth });
  const client = createRegistryClient({ auth: () => (basicAuth ? registryUser : undefined) });
  const stop = async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { host: server.host, client, [Symbol.asyncDispose]: stop };
}

registryConformance('docker-registry, open', () => start(false));
registryConformance('docker-registry, basic auth', () => start(true));

test.each([
  ['without a credential', undefined],
  ['with a wrong password', { username: 'hub', password: 'wrong' }],
])('docker-registry denies a caller %s', async (_case, credentials) => {
  await using server = await startDockerRegistry({ basicAuth: true });
  const client = createRegistryClient({ auth: () => credentials });
  const resolving = client.resolve(`${server.host}/kmod:1`, AbortSignal.timeout(10_000));
  await expect(resolving).rejects.toBeInstanceOf(RegistryDeniedError);
  await client.close();
});
