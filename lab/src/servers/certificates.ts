import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';

export type Certificate = { certPem: string; keyPem: string; certFile: string; keyFile: string };

export type CertificateRequest = {
  /** Of a client: the user's name, e.g. "system:node:worker-0". */
  commonName: string;
  /** Of a client: the user's groups, e.g. ["system:nodes"]. */
  organizations?: readonly string[];
  /** Of a server: its names, e.g. ["DNS:localhost", "IP:127.0.0.1"]. Left out: a client's certificate. */
  serverNames?: readonly string[];
};

export type CertificateAuthority = Certificate & {
  issue(request: CertificateRequest): Promise<Certificate>;
};

/** Only what openssl insists on: the machine's own openssl.cnf would add its extensions. */
const opensslConfig = '[req]\ndistinguished_name = subject\n[subject]\n';
const days = '365'; // longer than any world lives

/** A new certificate authority whose files, and those of the certificates it issues, are in `folder`. Keys are P-256. */
export async function createAuthority(folder: string, commonName: string): Promise<CertificateAuthority> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'openssl.cnf'), opensslConfig);
  const authority = await create(folder, {
    name: 'ca',
    subject: subjectOf({ commonName }),
    extensions: [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,keyCertSign,cRLSign',
      'subjectKeyIdentifier=hash',
    ],
  });
  const { certFile, keyFile } = authority;
  const issue = ({ serverNames, ...request }: CertificateRequest) =>
    create(folder, {
      name: randomUUID(), // a user's name may hold any character
      subject: subjectOf(request),
      extensions: [
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        'authorityKeyIdentifier=keyid',
        `extendedKeyUsage=${serverNames === undefined ? 'clientAuth' : 'serverAuth'}`,
        ...(serverNames === undefined ? [] : [`subjectAltName=${serverNames.join(',')}`]),
      ],
      issuer: ['-CA', certFile, '-CAkey', keyFile],
    });
  return { ...authority, issue };
}

type Blueprint = { name: string; subject: string; extensions: readonly string[]; issuer?: readonly string[] };

async function create(folder: string, { name, subject, extensions, issuer = [] }: Blueprint): Promise<Certificate> {
  const certFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`); // openssl makes it 0600
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', keyFile];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const config = ['-config', join(folder, 'openssl.cnf')];
  const request = ['req', '-x509', '-utf8', ...config, '-days', days, '-subj', subject, '-out', certFile];
  await runCommand('openssl', [...request, ...key, ...added, ...issuer]);
  return { certFile, keyFile, certPem: await readFile(certFile, 'utf8'), keyPem: await readFile(keyFile, 'utf8') };
}

/** The form of openssl-req(1): /O=group/CN=user, separators within a value escaped. */
function subjectOf({ commonName, organizations = [] }: CertificateRequest): string {
  const quote = (value: string) => value.replace(/[\\/+=]/g, '\\$&');
  return [...organizations.map((name) => `/O=${quote(name)}`), `/CN=${quote(commonName)}`].join('');
}
