import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { readCertificate, selfSignedCertificate } from './certificate.ts';

test('a certificate of our own is for its names and addresses, for serving only, and signs no other', async () => {
  const { cert, ca } = await selfSignedCertificate(['hub.example.com', '127.0.0.1', '::1']);
  const certificate = new X509Certificate(cert);
  expect(ca).toBe(cert);
  expect(certificate.subjectAltName).toBe('DNS:hub.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  expect({ ca: certificate.ca, usage: certificate.keyUsage }).toEqual({ ca: false, usage: ['1.3.6.1.5.5.7.3.1'] });
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
});

test('each start makes another key', async () => {
  const [first, second] = await Promise.all([selfSignedCertificate(['a']), selfSignedCertificate(['a'])]);
  expect(first.key).not.toBe(second.key);
});

test('a file that cannot be read is named with its flag', async () => {
  const files = { certificate: '/nowhere/tls.crt', key: '/nowhere/tls.key' };
  await expect(readCertificate(files)).rejects.toThrow(
    /--api-(certificate|key) \/nowhere\/tls\.(crt|key) cannot be read/,
  );
});
