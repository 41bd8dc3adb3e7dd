import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { explain, UsageError } from '@kmm-hub/api-types';

/** PEM. `ca` is what a client must trust; undefined: what it trusts anyway. */
export type ServingCertificate = { cert: string; key: string; ca?: string };

export type CertificateFiles = { certificate: string; key: string; ca?: string };

/** @throws UsageError when one of them cannot be read. */
export async function readCertificate({ certificate, key, ca }: CertificateFiles): Promise<ServingCertificate> {
  const [cert, keyPem, caPem] = await Promise.all([
    read('--api-certificate', certificate),
    read('--api-key', key),
    ca === undefined ? undefined : read('--api-ca', ca),
  ]);
  return { cert, key: keyPem, ...(caPem !== undefined && { ca: caPem }) };
}

async function read(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (err) {
    const remedy = 'Give a PEM file that the hub may read.';
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(`${flag} ${file} cannot be read: ${explain(err)}`, remedy, { cause: err });
  }
}

/** Longer than a process runs: its key is nowhere but in this process, and the next start makes another. */
const LIFETIME_MS = 5 * 365 * 24 * 60 * 60_000;
const CLOCKS_DIFFER_MS = 60 * 60_000;

/** A certificate of our own for these names and addresses; whoever is to trust it needs `ca`, which is the certificate itself. */
export async function selfSignedCertificate(hosts: readonly string[]): Promise<ServingCertificate> {
  await import('reflect-metadata'); // @peculiar/x509 stands on it; both are loaded only where they are needed
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=kmm-hub',
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(now - CLOCKS_DIFFER_MS),
      notAfter: new Date(now + LIFETIME_MS),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true), // it signs nothing but itself
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host })),
        ),
      ],
    },
    crypto,
  );
  const cert = certificate.toString('pem');
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert, key, ca: cert };
}
