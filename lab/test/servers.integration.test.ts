import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { applyFolder } from '../src/access/apply.ts';
import { writeKubeconfig } from '../src/access/kubeconfig.ts';
import { kubeconfigForServiceAccount, tokenFor } from '../src/access/service-account.ts';
import { runCommand } from '../src/host/command.ts';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';
import { type Redis, startRedis } from '../src/servers/redis.ts';
import { type Registry, startRegistry } from '../src/servers/registry.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;

/** Waits until what is asked succeeds: an API server acts on what it has stored a moment later. */
const eventually = <T>(what: string, ask: () => Promise<T>) =>
  waitFor({ what, check: ask, timeoutMs: 120_000, signal });
beforeAll(async () => {
  folder = await runFolder('test-servers');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('two control planes side by side', () => {
  let hub: ControlPlane;
  let spoke: ControlPlane;
  beforeAll(async () => {
    [hub, spoke] = await Promise.all([
      startControlPlane({ name: 'hub', folder: join(folder, 'hub'), controllerManager: true, signal }),
      startControlPlane({ name: 'spoke', folder: join(folder, 'spoke'), signal }),
    ]);
  });
  afterAll(() => Promise.all([hub?.stop(), spoke?.stop()]));

  test('do not see each other', async () => {
    await hub.kubectl(['create', 'namespace', 'only-on-hub']);
    expect(await hub.kubectl(['get', 'namespace', 'only-on-hub', '--output=name'])).toBe('namespace/only-on-hub');
    await expect(spoke.kubectl(['get', 'namespace', 'only-on-hub'])).rejects.toMatchObject({
      code: 'CommandFailed',
      message: expect.stringContaining('"only-on-hub" not found'),
    });
  });

  test('serve a CRD as soon as it is applied', async () => {
    const file = join(folder, 'crd.yaml');
    await writeFile(file, stringify(widgetCrd));
    expect(await applyFolder(hub, [file])).toEqual([
      'customresourcedefinition.apiextensions.k8s.io/widgets.lab.example',
    ]);
    expect(await hub.kubectl(['get', 'widgets'])).toBe('');
  });

  test('a controller manager deletes a namespace to its end', async () => {
    await hub.kubectl(['create', 'namespace', 'short-lived']);
    await hub.kubectl(['delete', 'namespace', 'short-lived', '--timeout=120s'], { timeoutMs: 130_000 });
    await expect(hub.kubectl(['get', 'namespace', 'short-lived'])).rejects.toThrow('not found');
  });

  test('a service account is refused what its role does not allow', async () => {
    await hub.kubectl(['apply', '--filename=-'], { input: readerManifests });
    const account = { plane: hub, namespace: 'default', serviceAccount: 'reader' };
    const kubeconfig = await kubeconfigForServiceAccount({ ...account, file: join(folder, 'reader.kubeconfig') });
    const allowed = ['get', 'configmap', 'kube-root-ca.crt', '--output=name', `--kubeconfig=${kubeconfig}`];
    expect(await eventually('the role', () => hub.kubectl(allowed))).toBe('configmap/kube-root-ca.crt');
    await expect(hub.kubectl(['get', 'secrets', `--kubeconfig=${kubeconfig}`])).rejects.toThrow(
      'User "system:serviceaccount:default:reader" cannot list resource "secrets"',
    );
  });

  test('a token bound to a Node carries that Node', async () => {
    await hub.kubectl(['create', '--filename=-'], { input: nodeManifest('bound') });
    await hub.kubectl(['create', 'serviceaccount', 'agent']);
    const uid = await hub.kubectl(['get', 'node', 'bound', '--output=jsonpath={.metadata.uid}']);
    const boundNode = { name: 'bound', uid };
    const token = await tokenFor({ plane: hub, namespace: 'default', serviceAccount: 'agent', boundNode });
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims['kubernetes.io'].node).toEqual(boundNode);
  });

  test('a kubelet may write its own Node and not even read another', async () => {
    const nodes = ['own', 'other'];
    await spoke.kubectl(['create', '--filename=-'], { input: nodes.map(nodeManifest).join('---\n') });
    const clientCert = await spoke.issueClientCertificate({
      commonName: 'system:node:own',
      organizations: ['system:nodes'],
    });
    const kubeconfig = await writeKubeconfig({ plane: spoke, file: join(folder, 'kubelet.kubeconfig'), clientCert });
    const label = (node: string) => spoke.kubectl(['label', 'node', node, 'lab=yes', `--kubeconfig=${kubeconfig}`]);
    expect(await label('own')).toBe('node/own labeled');
    await expect(label('other')).rejects.toThrow("node 'own' cannot read 'other', only its own Node object");
  });

  test('an API server comes back on its port with its data, after a restart and after a crash of etcd', async () => {
    await spoke.kubectl(['create', 'configmap', 'kept']);
    const firstPid = spoke.component('kube-apiserver').pid;
    await spoke.component('kube-apiserver').restart(signal);
    expect(spoke.component('kube-apiserver').pid).not.toBe(firstPid);
    await spoke.component('etcd').kill9();
    await spoke.component('etcd').restart(signal);
    const kept = () => spoke.kubectl(['get', 'configmap', 'kept', '--output=name']);
    expect(await eventually('the data', kept)).toBe('configmap/kept'); // once it has found the new etcd
  });

  test('a paused API server does not answer until it is resumed', async () => {
    spoke.component('kube-apiserver').pause();
    await expect(spoke.kubectl(['get', '--raw=/readyz', '--request-timeout=1s'])).rejects.toMatchObject({
      code: 'CommandFailed',
    });
    spoke.component('kube-apiserver').resume();
    expect(await eventually('ready', () => spoke.kubectl(['get', '--raw=/readyz']))).toBe('ok');
  });

  test('a component that was not asked for is named as missing', () => {
    expect(() => spoke.component('kube-scheduler')).toThrow('control plane spoke has no kube-scheduler');
  });
});

describe('the registry', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry({ folder: join(folder, 'registry'), signal });
  });
  afterAll(() => registry?.stop());

  test('answers at /v2/ as the distribution API does', async () => {
    const answer = await fetch(`${registry.url}/v2/`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  });

  test('finishes an upload that began before a restart', async () => {
    const begun = await fetch(`${registry.url}/v2/lab/demo/blobs/uploads/`, { method: 'POST' });
    await registry.process.restart(signal);
    const digest = 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'; // of "x"
    const location = `${begun.headers.get('location')}&digest=${digest}`;
    const ended = await fetch(location, { method: 'PUT', body: 'x' });
    expect([ended.status, ended.headers.get('docker-content-digest')]).toEqual([201, digest]);
  });
});

describe('Redis', () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await startRedis({ folder: join(folder, 'redis'), persistent: true, signal });
  });
  afterAll(() => redis?.stop());
  const cli = (args: string[], password?: string) => {
    const env = password === undefined ? {} : { REDISCLI_AUTH: password };
    return runCommand('redis-cli', ['-p', String(redis.port), ...args], { env });
  };

  test('refuses a client without the password', async () => {
    expect(await cli(['get', 'a'])).toContain('NOAUTH');
  });
  test('does not show the password among the processes', async () => {
    expect(await readFile(`/proc/${redis.process.pid}/cmdline`, 'utf8')).not.toContain(redis.password);
  });
  test('never evicts', async () => {
    expect(await cli(['config', 'get', 'maxmemory-policy'], redis.password)).toBe('maxmemory-policy\nnoeviction');
  });
  test('keeps its data over a restart when asked to', async () => {
    await cli(['set', 'a', '1'], redis.password);
    await redis.process.restart(signal);
    expect(await cli(['get', 'a'], redis.password)).toBe('1');
  });
});

test('kill -9 of the process that started servers leaves none of them behind', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', parentScript(join(folder, 'orphans'))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(parent.stdout), 'line');
  const pids: number[] = JSON.parse(line);
  expect(await Promise.all(pids.map(runs))).toEqual([true, true, true, true]);
  parent.kill('SIGKILL');
  const allGone = async () => ((await Promise.all(pids.map(runs))).includes(true) ? undefined : true);
  await waitFor({ what: 'the end of all servers', check: allGone, timeoutMs: 120_000, signal });
});

/** A zombie has ended: whether the machine's first process collects it is not ours. */
async function runs(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // no such process
  }
}

function parentScript(within: string): string {
  const source = (file: string) => JSON.stringify(new URL(`../src/servers/${file}`, import.meta.url).href);
  return `
    const { startControlPlane } = await import(${source('control-plane.ts')});
    const { startRegistry } = await import(${source('registry.ts')});
    const { startRedis } = await import(${source('redis.ts')});
    const { signal } = new AbortController();
    const folder = ${JSON.stringify(within)};
    const plane = await startControlPlane({ name: 'orphan', folder: folder + '/plane', signal });
    const registry = await startRegistry({ folder: folder + '/registry', signal });
    const redis = await startRedis({ folder: folder + '/redis', signal });
    const all = [plane.component('etcd'), plane.component('kube-apiserver'), registry.process, redis.process];
    console.log(JSON.stringify(all.map(({ pid }) => pid)));
    setInterval(() => {}, 1_000); // stays until it is killed
  `;
}

function nodeManifest(name: string): string {
  return stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
}

const readerManifests = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: default }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: default }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]
`;

const widgetCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.lab.example' },
  spec: {
    group: 'lab.example',
    scope: 'Cluster',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};
