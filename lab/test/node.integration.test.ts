import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Node, node as nodes } from '@kmm-hub/api-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFolder } from '../src/host/run-folder.ts';
import { waitFor } from '../src/host/wait.ts';
import { NodeUnreachableError, ProbeRefusedError } from '../src/nodes/errors.ts';
import { type FakeKubelet, startFakeKubelet } from '../src/nodes/fake-kubelet.ts';
import { type Kernel, newestKernel } from '../src/nodes/kernels.ts';
import { type LabNode, startNode } from '../src/nodes/node.ts';
import { type ControlPlane, startControlPlane } from '../src/servers/control-plane.ts';
import { startRegistry } from '../src/servers/registry.ts';
import { ensureToolkitImage } from '../src/toolkit/toolkit-image.ts';

/** Says how it was started, loads a module, then does what the host tells it through the forwarded port. */
const agent = `
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
const secrets = '/var/run/secrets/kubernetes.io/serviceaccount/';
appendFileSync('/var/lib/kmm/starts', 'x');
say({ starts: readFileSync('/var/lib/kmm/starts', 'utf8').length, args: process.argv.slice(2),
  apiServer: process.env.KUBERNETES_SERVICE_HOST + ':' + process.env.KUBERNETES_SERVICE_PORT,
  token: readFileSync(secrets + 'token', 'utf8'), namespace: readFileSync(secrets + 'namespace', 'utf8') });
process.on('SIGTERM', () => { say({ stopped: 'in order' }); process.exit(0); });
execFileSync('modprobe', ['loop', 'max_part=7']);
for (;;) {
  const order = await (await fetch('http://127.0.0.1:' + process.env.FORWARDS)).text();
  say({ order });
  if (order === 'exit') process.exit(3);
  if (order === 'panic') writeFileSync('/proc/sysrq-trigger', 'c');
}`;

const { signal } = new AbortController(); // vitest's own limits end what hangs
/** Many times what a boot takes on a busy machine. */
const PATIENCE_MS = 120_000;
const size = { cpus: 2, memoryMiB: 512 };
let folder: string;
let kernel: Kernel;
let host: Server;
let plane: ControlPlane;
let kubelet: FakeKubelet;
let node: LabNode;
/** Answers the agent's next request. */
let order: (text: string) => void;

beforeAll(async () => {
  folder = await runFolder('node-test');
  kernel = await newestKernel({ series: '6.1', signal });
  await writeFile(join(folder, 'agent.mjs'), agent);
  host = createServer((_request, response) => {
    order = (text) => void (response.writableEnded || response.end(text));
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
  const { port } = host.address() as AddressInfo;
  plane = await startControlPlane({ name: 'spoke', folder: join(folder, 'spoke'), signal });
  kubelet = await startFakeKubelet({ ...size, plane, name: 'worker', labels: { rack: 'r1' }, signal });
  node = await startNode({
    ...{ name: 'worker', kernel, folder: join(folder, 'worker'), apiServer: plane, token: 'a token' },
    ...{ ...size, forwards: [port], agentEntry: join(folder, 'agent.mjs'), pci: ['edu'], signal },
  });
});

afterAll(async () => {
  await kubelet?.stop();
  await node?.stop();
  await plane?.stop();
  host?.close();
  await rm(folder, { recursive: true });
});

/** Whole lines: the last one may be on its way. */
const agentLines = async () =>
  (await readFile(node.agentLogFile, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** The newest line the agent wrote when it had been started `count` times. */
const agentStart = (count: number) =>
  waitFor({
    what: `start ${count} of the agent`,
    check: async () => (await agentLines()).find(({ starts }) => starts === count),
    ...{ timeoutMs: PATIENCE_MS, signal },
  });

const nodeObject = async (): Promise<Node> =>
  JSON.parse(await plane.kubectl(['get', nodes.plural, 'worker', '--output=json']));

describe('a node with a real kernel', () => {
  test('runs the kernel that was looked up', async () => {
    expect(kernel.release).toMatch(/^6\.1\.\d+-\d+-cloud-/);
    expect(await node.probe.release(signal)).toBe(kernel.release);
    expect((await node.probe.kernelLog(signal))[0]).toContain(`Linux version ${kernel.release}`);
    expect(await node.probe.secureBoot(signal)).toBe(false);
  });

  test('starts the agent as a pod would be started', async () => {
    expect(await agentStart(1)).toEqual({
      starts: 1,
      args: ['--node-name', 'worker', '--host-root', '/', '--health-port', '8080'],
      apiServer: `10.0.2.2:${plane.port}`,
      token: 'a token',
      namespace: 'openshift-kmm',
    });
  });

  test('shows a module and its parameter without asking the agent', async () => {
    const loaded = async () =>
      (await node.probe.modules(signal)).find(({ name, state }) => name === 'loop' && state === 'Live');
    await waitFor({ what: 'loop', check: loaded, timeoutMs: PATIENCE_MS, signal });
    expect(await node.probe.parameters('loop', signal)).toMatchObject({ max_part: '7' });
    await expect(node.probe.parameters('no-such-module', signal)).rejects.toThrow(ProbeRefusedError);
  });

  test('has a NUMA node for each CPU, and the PCI device it was given', async () => {
    expect(await node.probe.list('/sys/devices/system/node/node1', signal)).toContain('cpu1');
    expect(await node.probe.kernelLog(signal)).toContainEqual(expect.stringContaining('[1234:11e8]')); // QEMU's edu
    await expect(node.probe.list('/no/such/folder', signal)).rejects.toThrow(ProbeRefusedError);
  });

  test('starts the agent again when it ends', async () => {
    await waitFor({ what: 'a request', check: async () => order, timeoutMs: PATIENCE_MS, signal });
    order('exit');
    expect(await agentStart(2)).toMatchObject({ starts: 2 });
    expect(await agentLines()).toContainEqual({ order: 'exit' }); // through the port on the host's loopback
  });

  test('is Ready with what its kernel says, and has a lease', async () => {
    await kubelet.follow(node.probe, signal);
    const { metadata, status } = await nodeObject();
    expect(metadata.labels).toMatchObject({ rack: 'r1', 'kubernetes.io/hostname': 'worker' });
    expect(metadata.uid).toBe(kubelet.nodeUid);
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    expect(status?.nodeInfo).toMatchObject({ kernelVersion: kernel.release, bootID: await node.probe.bootId(signal) });
    const holder = [
      'get',
      'lease',
      'worker',
      '--namespace=kube-node-lease',
      '--output=jsonpath={.spec.holderIdentity}',
    ];
    expect(await plane.kubectl(holder)).toBe('worker');
  });

  test('keeps its state over a reboot, which the kubelet notices', async () => {
    const before = await node.probe.bootId(signal);
    await node.reboot({ signal });
    const after = await node.probe.bootId(signal);
    expect(after).not.toBe(before);
    expect(await agentStart(3)).toMatchObject({ starts: 3 });
    expect(await agentLines()).toContainEqual({ stopped: 'in order' });
    const noticed = async () => ((await nodeObject()).status?.nodeInfo?.bootID === after ? true : undefined);
    await waitFor({ what: 'the new boot id', check: noticed, timeoutMs: PATIENCE_MS, signal });
  });

  test('comes back by itself after a panic of its kernel', async () => {
    const before = await node.probe.bootId(signal);
    const restarted = async (limit: AbortSignal) => {
      if ((await node.probe.bootId(limit)) !== before) return true;
      order('panic'); // again and again: the first may have gone to the agent of before the reboot
      return undefined;
    };
    await waitFor({ what: 'the restart', check: restarted, ...{ timeoutMs: PATIENCE_MS, intervalMs: 200, signal } });
    expect(await readFile(node.logFile, 'utf8')).toContain('Kernel panic - not syncing: sysrq triggered crash');
  });

  test('is unreachable after a power cut until it is switched on', async () => {
    await node.powerCut();
    expect(node.pid).toBeUndefined();
    await expect(node.probe.bootId(signal)).rejects.toThrow(NodeUnreachableError);
    await expect(node.reboot({ signal })).rejects.toThrow(NodeUnreachableError);
    await node.powerOn({ signal });
    expect(await node.probe.release(signal)).toBe(kernel.release);
  });
});

test('the toolkit image of a kernel is made once and pushed once', async () => {
  await using registry = await startRegistry({ folder: join(folder, 'registry'), signal });
  const said: string[] = [];
  const options = { kernel, registryHost: registry.host, signal, progress: (line: string) => said.push(line) };
  const reference = await ensureToolkitImage(options);
  expect(reference).toBe(`${registry.host}/toolkit:${kernel.release}`);
  expect(said.at(-1)).toBe(`pushed ${reference}`);
  said.length = 0;
  expect(await ensureToolkitImage(options)).toBe(reference);
  expect(said).toEqual([]);
});
