import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explain } from '@kmm-hub/api-types';
import { ConnectionConfigError } from './errors.ts';

/** How one API server is reached, and as whom. */
export type Connection = {
  /** e.g. "https://127.0.0.1:6443", without a trailing slash. */
  server: string;
  ca?: string;
  clientCertificate?: { cert: string; key: string };
  skipTlsVerify?: boolean;
  /** The value of the Authorization header; read again before it is old, since tokens rotate. */
  authorization(): Promise<string | undefined>;
  /** Namespace of the kubeconfig's context, or of the pod. */
  namespace?: string;
};

export type ConnectionOptions = {
  /** A kubeconfig file; wins over everything. */
  kubeconfig?: string;
  /** KUBECONFIG, used when there is no flag and the process is not in a cluster. */
  kubeconfigVariable?: string;
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  serviceHost?: string;
  servicePort?: string;
  /** Folder with token, ca.crt and namespace. */
  serviceAccountFolder?: string;
};

/** A bound token lives at least ten minutes; the kubelet replaces it at 80 %. */
const TOKEN_LIFETIME_MS = 60_000;

/**
 * Finds the API server as kubectl and client-go do: the flag, else the pod's own service account, else KUBECONFIG.
 * @throws ConnectionConfigError when none is there or it cannot be read.
 */
export async function loadConnection(options: ConnectionOptions): Promise<Connection> {
  if (options.kubeconfig !== undefined) return connectionFromKubeconfig(options.kubeconfig);
  if (options.serviceHost !== undefined) return inClusterConnection(options);
  if (options.kubeconfigVariable) return connectionFromKubeconfig(options.kubeconfigVariable);
  throw new ConnectionConfigError('no API server is configured');
}

async function inClusterConnection(options: ConnectionOptions): Promise<Connection> {
  const folder = options.serviceAccountFolder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  try {
    const ca = await readFile(join(folder, 'ca.crt'), 'utf8');
    const namespace = (await readFile(join(folder, 'namespace'), 'utf8')).trim();
    const host = options.serviceHost?.includes(':') ? `[${options.serviceHost}]` : options.serviceHost;
    const authorization = refreshed(async () => `Bearer ${(await readFile(join(folder, 'token'), 'utf8')).trim()}`);
    await authorization();
    return { server: `https://${host}:${options.servicePort ?? '443'}`, ca, namespace, authorization };
  } catch (err) {
    throw new ConnectionConfigError(`the service account in ${folder} cannot be used: ${explain(err)}`, { cause: err });
  }
}

/**
 * Contexts, exec plugins and client certificates are client-node's work. It costs 80 MB, so it is loaded only here: the
 * node agent, which runs in its cluster, never pays.
 */
async function connectionFromKubeconfig(file: string): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (err) {
    throw new ConnectionConfigError(`kubeconfig ${file} cannot be read: ${explain(err)}`, { cause: err });
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new ConnectionConfigError(`kubeconfig ${file} has no current context with a cluster`);
  const identity = async () => {
    const options: { ca?: unknown; cert?: unknown; key?: unknown; headers?: Record<string, string> } = {};
    await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]);
    return options;
  };
  const { ca, cert, key } = await identity();
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(ca !== undefined && { ca: String(ca) }),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert: String(cert), key: String(key) } }),
    ...(cluster.skipTLSVerify && { skipTlsVerify: true }),
    ...(namespace !== undefined && { namespace }),
    authorization: refreshed(async () => (await identity()).headers?.Authorization),
  };
}

/** Reads again once the last answer is a minute old; two callers at once share one read. */
function refreshed(read: () => Promise<string | undefined>): () => Promise<string | undefined> {
  let last: { at: number; value: Promise<string | undefined> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > TOKEN_LIFETIME_MS) {
      const value = read();
      last = { at: Date.now(), value };
      value.catch(() => {
        last = undefined; // the next caller reads again; this error goes to whoever awaits the value
      });
    }
    return last.value;
  };
}
