import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Only what openssl insists on: the machine's own openssl.cnf would add its extensions. */
const OPENSSL_CONFIG = '[req]\ndistinguished_name = subject\n[subject]\n';

/** Files of a server's certificate for a name, signed by a certificate authority that exists for this folder alone. */
export type TestCertificate = { ca: string; certificateFile: string; keyFile: string };

export async function makeCertificate(folder: string, name: string): Promise<TestCertificate> {
  const config = join(folder, 'openssl.cnf');
  await writeFile(config, OPENSSL_CONFIG);
  const file = (suffix: string) => join(folder, suffix);
  const request = [
    'req',
    '-x509',
    '-config',
    config,
    '-days',
    '2',
    '-nodes',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
  ];
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign'];
  await run('openssl', [
    ...request,
    ...authority,
    '-subj',
    '/CN=test',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  ]);
  const issuer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-addext', `subjectAltName=DNS:${name}`];
  const server = ['-addext', 'basicConstraints=CA:FALSE', '-subj', `/CN=${name}`];
  await run('openssl', [...request, ...issuer, ...server, '-keyout', file('server.key'), '-out', file('server.crt')]);
  return {
    ca: await readFile(file('ca.crt'), 'utf8'),
    certificateFile: file('server.crt'),
    keyFile: file('server.key'),
  };
}
