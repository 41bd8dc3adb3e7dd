import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explain } from '@kmm-hub/api-types';
import { type Connection, remembered } from './credentials.ts';
import { ConnectionConfigError, ProxyConfigError } from './errors.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';

export type ConnectionOptions = {
  /** A kubeconfig file; wins over everything. */
  kubeconfig?: string;
  /** KUBECONFIG, used when there is no flag and the process is not in a cluster. Several files are joined as kubectl does. */
  kubeconfigVariable?: string;
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  serviceHost?: string;
  servicePort?: string;
  /** Folder with token, ca.crt and namespace. */
  serviceAccountFolder?: string;
  /** Used unless the kubeconfig names a proxy of its own. */
  proxy?: ProxySettings;
};

/** Those that client-go takes. */
const PROXY_PROTOCOLS = /^(https?|socks5):$/;

/**
 * Finds the API server as kubectl and client-go do: the flag, else the pod's own service account, else KUBECONFIG.
 * @throws ConnectionConfigError when none is there or it cannot be read, ProxyConfigError.
 */
export async function loadConnection(options: ConnectionOptions): Promise<Connection> {
  const connection = await findConnection(options);
  const proxy = connection.proxy ?? proxyFor(connection.server, options.proxy ?? {});
  if (proxy === undefined) return connection;
  if (!PROXY_PROTOCOLS.test(URL.parse(proxy)?.protocol ?? '')) throw new ProxyConfigError(connection.server);
  return { ...connection, proxy };
}

async function findConnection(options: ConnectionOptions): Promise<Connection> {
  if (options.kubeconfig === undefined && options.serviceHost !== undefined) return inClusterConnection(options);
  const file = options.kubeconfig ?? options.kubeconfigVariable;
  if (!file) throw new ConnectionConfigError('no API server is configured');
  // client-node costs 80 MB, so it is loaded only here: the node agent, which runs in its cluster, never pays
  const { connectionFromKubeconfig } = await import('./kubeconfig.ts');
  return connectionFromKubeconfig(file);
}

async function inClusterConnection(options: ConnectionOptions): Promise<Connection> {
  const folder = options.serviceAccountFolder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const read = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
  const credentials = remembered(async () => {
    try {
      return { authorization: `Bearer ${await read('token')}`, ca: await read('ca.crt') };
    } catch (err) {
      throw new ConnectionConfigError(`the service account in ${folder} cannot be used: ${explain(err)}`, {
        cause: err,
      });
    }
  });
  await credentials();
  const host = options.serviceHost?.includes(':') ? `[${options.serviceHost}]` : options.serviceHost;
  const namespace = await read('namespace');
  return { server: `https://${host}:${options.servicePort ?? '443'}`, namespace, credentials };
}
