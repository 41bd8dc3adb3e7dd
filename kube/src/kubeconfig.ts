import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { explain } from '@kmm-hub/api-types';
import { KubeConfig } from '@kubernetes/client-node';
import { type Connection, type Credentials, remembered } from './credentials.ts';
import { ConnectionConfigError } from './errors.ts';

/** A plug-in that asks a person, or that hangs, must not hang the process. */
const PLUGIN_LIMIT_MS = 30_000;

/**
 * `paths`: one file, or several as in KUBECONFIG. Contexts, exec plug-ins and client certificates are client-node's work. The
 * files are read again with the credentials; a server that changes in them needs a restart.
 * @throws ConnectionConfigError
 */
export async function connectionFromKubeconfig(paths: string): Promise<Connection> {
  let { text, config } = await load(paths);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new ConnectionConfigError(`kubeconfig ${paths} has no current context with a cluster`);
  const credentials = remembered(async (renew) => {
    const now = await load(paths);
    // the old one remembers what its plug-in said, until that is out of date
    if (renew || now.text !== text) ({ text, config } = now);
    return identityOf(config, paths);
  });
  await credentials();
  const { namespace } = config.getContextObject(config.getCurrentContext()) ?? {};
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(cluster.skipTLSVerify && { skipTlsVerify: true }),
    ...(cluster.tlsServerName && { tlsServerName: cluster.tlsServerName }),
    ...(cluster.proxyUrl && { proxy: cluster.proxyUrl }),
    ...(namespace !== undefined && { namespace }),
    credentials,
  };
}

async function load(paths: string): Promise<{ text: string; config: KubeConfig }> {
  const files = paths.split(delimiter).filter((file) => file !== '');
  const config = new KubeConfig();
  try {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    for (const [index, file] of files.entries()) {
      const next = index === 0 ? config : new KubeConfig();
      next.loadFromFile(file);
      if (index > 0) config.mergeConfig(next, true); // the first file's context holds
    }
    return { text: texts.join('\n'), config };
  } catch (err) {
    throw new ConnectionConfigError(`kubeconfig ${paths} cannot be read: ${explain(err)}`, { cause: err });
  }
}

type HttpsOptions = { ca?: unknown; cert?: unknown; key?: unknown; auth?: string; headers: Record<string, string> };

async function identityOf(config: KubeConfig, paths: string): Promise<Credentials> {
  const options: HttpsOptions = { headers: {} };
  try {
    await withinLimit(config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]));
  } catch (err) {
    throw new ConnectionConfigError(`the user of kubeconfig ${paths} has no credentials: ${explain(err)}`, {
      cause: err,
    });
  }
  const { ca, cert, key, auth, headers } = options;
  const authorization = headers.Authorization ?? (auth && `Basic ${Buffer.from(auth).toString('base64')}`);
  return {
    ...(authorization !== undefined && { authorization }),
    ...(ca !== undefined && { ca: String(ca) }),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert: String(cert), key: String(key) } }),
  };
}

async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const message = `its plug-in did not answer within ${PLUGIN_LIMIT_MS / 1000} s`;
    timer = setTimeout(() => reject(new ConnectionConfigError(message)), PLUGIN_LIMIT_MS);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
