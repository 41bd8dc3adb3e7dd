import { join, relative } from 'node:path';
import { controlPlaneProgram } from '../host/config.ts';
import type { ProcessOptions } from '../host/process.ts';
import type { ControlPlaneCredentials } from './control-plane-credentials.ts';
import { expectOk } from './expect-ok.ts';

export type ControlPlaneComponent = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

export type ControlPlaneSite = {
  name: string;
  folder: string;
  url: string;
  port: number;
  credentials: ControlPlaneCredentials;
  signal: AbortSignal;
};

/**
 * etcd serves on Unix sockets in the folder: a TCP port on loopback would be open to every guest and every process of the
 * machine, past the API server's RBAC. The name is relative, since a socket's path holds at most 107 characters, and has the
 * form host:port, since etcd checks that.
 */
const etcdSocket = { client: 'etcd.sock:0', peer: 'etcd-peer.sock:0' };

/** How to start one component; all of them run in the plane's folder and log to `<component>.log` there. */
export function componentProcess(site: ControlPlaneSite, component: ControlPlaneComponent): ProcessOptions {
  const { name, folder, signal } = site;
  return {
    name: `${name} ${component}`,
    command: controlPlaneProgram(component),
    args: flagsOf[component](site),
    cwd: folder,
    logFile: join(folder, `${component}.log`),
    ready: (limit) => readyOf[component](site, limit),
    readyTimeoutMs: 180_000,
    signal,
  };
}

const readyOf: Record<ControlPlaneComponent, (site: ControlPlaneSite, signal: AbortSignal) => Promise<void>> = {
  etcd: ({ folder }, signal) =>
    expectOk('http://localhost/health', signal, { socketPath: shortest(join(folder, etcdSocket.client)) }),
  'kube-apiserver': async (site, signal) => {
    await askApiServer(site, signal, '/readyz');
    await askApiServer(site, signal, '/api/v1/namespaces/default');
  },
  'kube-controller-manager': (site, signal) =>
    askApiServer(site, signal, '/api/v1/namespaces/default/serviceaccounts/default'),
  'kube-scheduler': async () => undefined, // nothing waits for its first pass
};

const flagsOf: Record<ControlPlaneComponent, (site: ControlPlaneSite) => string[]> = {
  etcd: ({ name }) => [
    `--name=${name}`,
    '--data-dir=etcd',
    '--unsafe-no-fsync', // a world does not outlive the machine's power
    `--listen-client-urls=unix://${etcdSocket.client}`,
    `--advertise-client-urls=unix://${etcdSocket.client}`,
    `--listen-peer-urls=unix://${etcdSocket.peer}`,
    `--initial-advertise-peer-urls=unix://${etcdSocket.peer}`,
    `--initial-cluster=${name}=unix://${etcdSocket.peer}`,
  ],
  'kube-apiserver': ({ port, credentials: { authority, serving, serviceAccountKeyFile } }) => [
    `--etcd-servers=unix://${etcdSocket.client}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${serving.certFile}`,
    `--tls-private-key-file=${serving.keyFile}`,
    `--client-ca-file=${authority.certFile}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccountKeyFile}`,
    `--service-account-signing-key-file=${serviceAccountKeyFile}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--endpoint-reconciler-type=none', // loopback is no address for an endpoint of the kubernetes service
    '--allow-privileged=true',
    '--shutdown-watch-termination-grace-period=1s', // else a stop waits for clients that watch
  ],
  'kube-controller-manager': ({ credentials: { authority, serviceAccountKeyFile, kubeconfigs } }) => [
    ...clientOf(kubeconfigs['kube-controller-manager']),
    '--controllers=*',
    '--use-service-account-credentials=true',
    ...['--kube-api-qps=200', '--kube-api-burst=400'], // its first seconds create an account for each controller
    '--flex-volume-plugin-dir=flexvolume', // it makes this folder, by default one of the machine's
    `--service-account-private-key-file=${serviceAccountKeyFile}`,
    `--root-ca-file=${authority.certFile}`,
    `--cluster-signing-cert-file=${authority.certFile}`,
    `--cluster-signing-key-file=${authority.keyFile}`,
  ],
  'kube-scheduler': ({ credentials: { kubeconfigs } }) => clientOf(kubeconfigs['kube-scheduler']),
};

/** A component that only talks to the API server: the one of its kind, so no lease; nobody asks it, so no port. */
function clientOf(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}

function askApiServer({ url, credentials }: ControlPlaneSite, signal: AbortSignal, path: string): Promise<void> {
  const { authority, admin } = credentials;
  return expectOk(`${url}${path}`, signal, { ca: authority.certPem, cert: admin.certPem, key: admin.keyPem });
}

function shortest(path: string): string {
  const fromHere = relative('', path);
  return fromHere.length < path.length ? fromHere : path;
}
