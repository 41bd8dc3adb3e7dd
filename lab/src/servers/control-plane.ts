import { join } from 'node:path';
import { UsageError } from '@kmm-hub/api-types';
import { KubeClient } from '@kmm-hub/kube';
import { type CommandOptions, runCommand } from '../host/command.ts';
import { controlPlaneProgram } from '../host/config.ts';
import { freePort } from '../host/ports.ts';
import { type Restartable, startRestartable } from '../host/restartable.ts';
import type { Certificate, CertificateRequest } from './certificates.ts';
import { type ControlPlaneComponent, type ControlPlaneSite, componentProcess } from './control-plane-components.ts';
import { createCredentials } from './control-plane-credentials.ts';

export type ControlPlaneOptions = {
  /** Of the cluster, e.g. "hub" or "spoke-a": names its kubeconfig's context, and its processes in errors. */
  name: string;
  /** Absolute path of a folder for this control plane alone; holds its keys, data and logs. */
  folder: string;
  /** Namespaces, garbage collection, service accounts, node lifecycle; without it nothing deletes what is owned. Default false. */
  controllerManager?: boolean;
  /** Default false. */
  scheduler?: boolean;
  /** Ends the start; a running control plane is ended by `stop`. */
  signal: AbortSignal;
};

export type ControlPlane = {
  readonly name: string;
  readonly folder: string;
  /** `https://127.0.0.1:<port>`; a guest of QEMU's user network says 10.0.2.2 instead. The certificate names both. */
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly caFile: string;
  /** Path of a kubeconfig of the group system:masters, for setting up and for looking; no process of the product gets it. */
  readonly adminKubeconfig: string;
  /** Runs kubectl as admin and gives its stdout. @throws CommandFailedError with its stderr. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** As admin too, for looking often: a run of kubectl costs more than a tenth of a second of CPU. Closed by `stop`. */
  readonly client: KubeClient;
  /** A user of this cluster who signs in by certificate, such as a kubelet. */
  issueClientCertificate(user: Omit<CertificateRequest, 'serverNames'>): Promise<Certificate>;
  /** One of its processes, to be paused, killed and restarted; port and data stay. @throws UsageError when it was not asked for. */
  component(component: ControlPlaneComponent): Restartable;
  /** Stops all of it, and gives up waiting for none: what does not end in time is killed. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts etcd and kube-apiserver (RBAC, node authorizer, NodeRestriction) on a free port of 127.0.0.1. Ready means that /readyz
 * says so and the default namespace is there; with a controller manager, the default service account too.
 * @throws MissingToolError before `npm run setup`, ProcessExitedError, NotReadyError.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { name, folder, controllerManager = false, scheduler = false, signal } = options;
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const site = { name, folder, port, url, credentials: await createCredentials({ name, url, folder }), signal };
  const plane = controlPlane(site, new Map());
  try {
    await plane.start('etcd');
    await plane.start('kube-apiserver');
    if (controllerManager) await plane.start('kube-controller-manager');
    if (scheduler) await plane.start('kube-scheduler');
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

type Startable = ControlPlane & { start(component: ControlPlaneComponent): Promise<void> };

function controlPlane(site: ControlPlaneSite, processes: Map<ControlPlaneComponent, Restartable>): Startable {
  const { name, folder, url, port, credentials } = site;
  const { authority, kubeconfigs } = credentials;
  const asAdmin = [`--kubeconfig=${kubeconfigs.admin}`, `--cache-dir=${join(folder, 'kubectl-cache')}`];
  const client = adminClient(site);
  const stop = async () => {
    await client.close();
    for (const process of [...processes.values()].reverse()) await process.stop();
  };
  return {
    ...{ name, folder, url, port },
    ...{ caPem: authority.certPem, caFile: authority.certFile, adminKubeconfig: kubeconfigs.admin },
    client,
    kubectl: (args, options) => runCommand(controlPlaneProgram('kubectl'), [...asAdmin, ...args], options),
    issueClientCertificate: (user) => authority.issue(user),
    component(component) {
      const process = processes.get(component);
      if (process === undefined)
        throw new UsageError(`control plane ${name} has no ${component}`, 'Ask for it at its start.');
      return process;
    },
    async start(component) {
      processes.set(component, await startRestartable(componentProcess(site, component)));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function adminClient({ url, credentials: { authority, admin } }: ControlPlaneSite): KubeClient {
  const clientCertificate = { cert: admin.certPem, key: admin.keyPem };
  return new KubeClient(
    { server: url, credentials: async () => ({ ca: authority.certPem, clientCertificate }) },
    'lab',
  );
}
