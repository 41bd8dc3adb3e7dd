import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { configMap, HUB_NAMESPACE } from '@kmm-hub/api-types';
import { applyFolder, checkout, kubeconfigForServiceAccount, writeKubeconfig } from '@kmm-hub/lab';
import { controlPlaneProgram } from '../../lab/src/host/config.ts';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { eventually, type HubWorld, signal } from './hub-world.ts';

export type Ended = { code: number; stdout: string; stderr: string };

const entry = join(checkout, 'hub/src/cli/main.ts');
/** Nothing of this machine's own kubeconfigs is seen. */
const environment = ({ folder }: HubWorld) => ({ HOME: folder });

/** Runs `kubectl kmm …` to its end. */
export function kubectlKmm(world: HubWorld, ...args: string[]): Promise<Ended> {
  return run(entry, args, environment(world));
}

/** Runs one of our programs to its end. */
export function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return runFile([execPath, program, ...args], env);
}

/** Runs `kubectl kmm …` by kubectl itself, which finds the plug-in on PATH. */
export async function kubectlPlugin(world: HubWorld, ...args: string[]): Promise<Ended> {
  const folder = await mkdtemp(join(world.folder, 'path-'));
  await symlink(join(checkout, 'scripts/kubectl-kmm.mjs'), join(folder, 'kubectl-kmm'));
  const env = { ...environment(world), PATH: [folder, dirname(execPath), '/usr/bin', '/bin'].join(':') };
  return runFile([controlPlaneProgram('kubectl'), 'kmm', ...args], env);
}

function runFile([file, ...args]: [string, ...string[]], env: NodeJS.ProcessEnv): Promise<Ended> {
  const options = { env, timeout: 240_000, killSignal: 'SIGKILL' as const, maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    execFile(file, args, options, (err, stdout, stderr) => {
      resolve({ code: err === null ? 0 : Number(err.code), stdout, stderr });
    });
  });
}

export type Followed = { stdout(): string; interrupt(): void; ended: Promise<Ended> };

/** Starts `kubectl kmm …` and goes on. */
export function startKubectlKmm(world: HubWorld, ...args: string[]): Followed {
  const child = spawn(execPath, [entry, ...args], { env: environment(world), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), stdout, stderr }));
  return { stdout: () => stdout, interrupt: () => void child.kill('SIGINT'), ended };
}

/**
 * The hub as a process of its own, under its shipped role; ready when it has told where its endpoint is. It is alone: a busy
 * machine would take its lease, and with it this process, away.
 */
export async function startHubProcess(world: HubWorld, ...args: string[]): Promise<RunningProcess> {
  const port = await freePort();
  const hub = await startProcess({
    name: 'hub',
    command: execPath,
    args: [
      join(checkout, 'hub/src/main.ts'),
      '--kubeconfig',
      world.kubeconfigs.hub,
      '--health-port',
      `${port}`,
      '--leader-elect=false',
      ...args,
    ],
    env: { KMM_REDIS: world.redis.url },
    logFile: join(world.folder, `hub-${port}.log`),
    ready: async (limit) => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: limit });
      if (!answer.ok) throw new Error(await answer.text());
    },
    readyTimeoutMs: 240_000,
    signal,
  });
  await eventually(
    () => addressOf(world),
    ({ url }) => url !== undefined,
  );
  return hub;
}

/** What the hub publishes for the command line. */
export async function addressOf({ admin }: HubWorld): Promise<{ url?: string; ca?: string }> {
  const { data = {} } = await admin.get(configMap, { namespace: HUB_NAMESPACE, name: 'kmm-hub-api' }, signal);
  return { ...(data.url && { url: data.url }), ...(data['ca.crt'] && { ca: data['ca.crt'] }) };
}

export type Users = {
  /** Kubeconfigs: with every role for people, by token and by certificate; with one of the roles; with none. */
  token: string;
  certificate: string;
  viewer: string;
  nobody: string;
};

/** People with the roles of deploy/rbac/kubectl-kmm.hub.yaml. */
export async function createUsers(world: HubWorld): Promise<Users> {
  const { plane, folder } = world;
  await applyFolder(plane, [join(checkout, 'deploy/rbac/kubectl-kmm.hub.yaml')]);
  const account = async (name: string, ...roles: string[]) => {
    await plane.kubectl(['create', 'serviceaccount', name, '--namespace=default']);
    for (const role of roles) {
      const subject = `--serviceaccount=default:${name}`;
      await plane.kubectl(['create', 'clusterrolebinding', `${name}-${role}`, `--clusterrole=${role}`, subject]);
    }
    const file = join(folder, `${name}.kubeconfig`);
    return kubeconfigForServiceAccount({ plane, namespace: 'default', serviceAccount: name, file });
  };
  for (const role of ['kmm-hub-viewer', 'kmm-hub-log-reader']) {
    await plane.kubectl(['create', 'clusterrolebinding', `ops-${role}`, `--clusterrole=${role}`, '--group=ops']);
  }
  const clientCert = await plane.issueClientCertificate({ commonName: 'carol', organizations: ['ops', 'dev'] });
  return {
    token: await account('token', 'kmm-hub-viewer', 'kmm-hub-log-reader'),
    certificate: await writeKubeconfig({ plane, file: join(folder, 'carol.kubeconfig'), clientCert }),
    viewer: await account('viewer', 'kmm-hub-viewer'),
    nobody: await account('nobody'),
  };
}

/** The certificate that the API server itself serves with: of the authority that certifies clients, and no client's. */
export async function servingCertificate({ plane }: HubWorld): Promise<{ cert: string; key: string }> {
  const folder = join(plane.folder, 'pki');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.crt'))) {
    const cert = await readFile(join(folder, file), 'utf8');
    if (!new X509Certificate(cert).subject.includes('kube-apiserver')) continue;
    return { cert, key: await readFile(join(folder, file.replace(/crt$/, 'key')), 'utf8') };
  }
  throw new Error('the API server has no certificate');
}
