import { expect, test } from 'vitest';
import { createAuthorizer } from './authorizer.ts';
import { createHttpExchange, type HttpResponse } from './http-exchange.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs

test.each([
  ['http://registry.example/token', 'leads from https to plain http'],
  ['http://127.0.0.1:6379/', 'leads to a service of this machine'],
  ['https://localhost/', 'leads to a service of this machine'],
  ['https://169.254.169.254/latest', 'leads to a service of this machine'],
  ['file:///etc/passwd', 'names a token server that is not HTTP'],
])('credentials are not sent to the token server %s that a registry names', async (realm, why) => {
  const http = createHttpExchange({ insecureHosts: (host) => host === '127.0.0.1:6379' });
  const authorizer = createAuthorizer(http, () => ({ username: 'hub', password: 'secret' }));
  const response = { headers: { 'www-authenticate': `Bearer realm="${realm}"` } } as unknown as HttpResponse;
  const access = { repository: { host: 'registry.example', path: 'team/kmod' }, action: 'pull' } as const;
  const answer = authorizer.answer({ response, sent: undefined }, access, signal);
  await expect(answer).rejects.toMatchObject({ code: 'RegistryRefused', message: `registry.example ${why}` });
  await http.close();
});
