import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import 'reflect-metadata';
import type { KubeClient } from '@kmm-hub/kube';
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ServingCertificate, selfSignedCertificate } from './certificate.ts';
import { Tls } from './tls.ts';

const log = pino({ level: 'silent' });
/** An API server that is away: who certifies clients is not known. */
const client = {
  server: 'https://127.0.0.1:1',
  watch: () => Promise.reject(new Error('away')),
} as unknown as KubeClient;

let first: ServingCertificate;
let second: ServingCertificate;
let server: Server;
let ending: AbortController;
beforeEach(async () => {
  [first, second] = await Promise.all([selfSignedCertificate(['localhost']), selfSignedCertificate(['localhost'])]);
  ending = new AbortController();
});
afterEach(() => {
  ending.abort();
  server.close();
});

async function serve(load: () => Promise<ServingCertificate>): Promise<Tls> {
  const tls = await Tls.load({ client, load, lookAgainMs: 5, log });
  server = createServer(tls.options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  void tls.follow(server, ending.signal);
  return tls;
}

/** What the server proves itself with, and what it thinks of the client's certificate. */
async function meet(certificate?: ServingCertificate): Promise<{ cert: string; authorized: boolean }> {
  const { port } = server.address() as AddressInfo;
  const met = once(server, 'secureConnection');
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...certificate, ca: [] });
  const [[peer]] = await Promise.all([met, once(socket, 'secureConnect')]);
  const cert = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return { cert, authorized: peer.authorized };
}

const plain = (pem: string) => pem.replace(/\s/g, '');

test('a certificate that was replaced is taken over while it serves, and told', async () => {
  let current = first;
  const tls = await serve(async () => current);
  expect(plain((await meet()).cert)).toBe(plain(first.cert));
  current = second;
  await expect.poll(async () => plain((await meet()).cert), { timeout: 60_000 }).toBe(plain(second.cert));
  expect(tls.ca).toBe(second.ca);
});

test('a key that does not belong to its certificate, or files that are gone, change nothing', async () => {
  const wrong = [{ cert: second.cert, key: first.key }, undefined, { cert: second.cert, key: first.key }, undefined];
  let loads = 0;
  await serve(async () => {
    loads += 1;
    const found = loads === 1 ? first : wrong[loads % wrong.length];
    if (found === undefined) throw new Error('no such file');
    return found;
  });
  await expect.poll(() => loads, { timeout: 60_000 }).toBeGreaterThan(4);
  expect(plain((await meet()).cert)).toBe(plain(first.cert));
});

test('no client’s certificate is believed while nobody says who certifies them, not even one that Node trusts', async () => {
  const stranger = await clientCertificate();
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, stranger.cert]);
  try {
    const tls = await serve(async () => first);
    expect(tls.knowsClients).toBe(false);
    expect((await meet(stranger)).authorized).toBe(false);
  } finally {
    setDefaultCACertificates(trusted);
  }
});

async function clientCertificate(): Promise<ServingCertificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const extensions = [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])];
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=admin',
    keys,
    signingAlgorithm: algorithm,
    extensions,
  });
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: certificate.toString('pem'), key };
}
