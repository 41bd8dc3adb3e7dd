import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { Credentials } from '../src/index.ts';
import { makeCertificate, type TestCertificate } from './certificates.ts';

const SERVICE = 'registry.test';
const ISSUER = 'tokens.test';
const TOKEN_SECONDS = 300;

/** `registryConfig`: what a registry has to be told to trust its tokens (`auth.token` of distribution's configuration). */
export type TokenServer = AsyncDisposable & {
  registryConfig: { realm: string; service: string; issuer: string; rootcertbundle: string };
};

/** A server of distribution's token protocol: the user gets all that is asked for, a caller without a name may pull. */
export async function startTokenServer({ username, password }: Credentials): Promise<TokenServer> {
  const ofUser = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const folder = await mkdtemp(join(tmpdir(), 'oci-tokens-'));
  const certificate = await makeCertificate(folder, ISSUER);
  const sign = await tokenSigner(certificate);
  const server = createServer(async ({ url = '', headers }, response) => {
    const { authorization } = headers;
    if (authorization !== undefined && authorization !== ofUser) return void response.writeHead(401).end();
    const may = authorization === undefined ? ['pull'] : ['pull', 'push', 'delete'];
    const scopes = new URL(url, 'http://tokens').searchParams.getAll('scope');
    const token = await sign(scopes.map((scope) => grant(scope, may)));
    response.end(JSON.stringify({ token, expires_in: TOKEN_SECONDS }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    registryConfig: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificate.certificateFile },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `repository:team/kmod:pull,push` → those of its actions that the caller may do. */
function grant(scope: string, may: readonly string[]) {
  const [type = '', name = '', actions = ''] = scope.split(':');
  return { type, name, actions: actions.split(',').filter((action) => may.includes(action)) };
}

/** Signs as a registry of distribution checks it: the certificate, which it must trust, travels in the header. */
async function tokenSigner({ certificateFile, keyFile }: TestCertificate) {
  const key = createPrivateKey(await readFile(keyFile));
  const { raw } = new X509Certificate(await readFile(certificateFile));
  const header = { alg: 'ES256', typ: 'JWT', x5c: [raw.toString('base64')] };
  return (access: readonly ReturnType<typeof grant>[]) =>
    new SignJWT({ access })
      .setProtectedHeader(header)
      .setIssuer(ISSUER)
      .setAudience(SERVICE)
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(key);
}
