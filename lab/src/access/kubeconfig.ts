import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';

/** Where an API server is and how to know that it is the right one. */
export type ApiServerAddress = { name: string; url: string; caPem: string };

export type Credentials = { token: string } | { clientCert: { certPem: string; keyPem: string } };

export type KubeconfigOptions = {
  plane: ApiServerAddress;
  file: string;
  /** Namespace of the context. Default "default". */
  namespace?: string;
} & Credentials;

/** Writes a kubeconfig with one context that needs no other file; mode 0600, since it holds the credentials. Gives the path. */
export async function writeKubeconfig({
  plane,
  file,
  namespace = 'default',
  ...credentials
}: KubeconfigOptions): Promise<string> {
  const name = plane.name;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: plane.url, 'certificate-authority-data': base64(plane.caPem) } }],
    users: [{ name, user: userOf(credentials) }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}

function userOf(credentials: Credentials) {
  if ('token' in credentials) return { token: credentials.token };
  const { certPem, keyPem } = credentials.clientCert;
  return { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) };
}

function base64(pem: string): string {
  return Buffer.from(pem).toString('base64');
}
