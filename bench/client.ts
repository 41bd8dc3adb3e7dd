import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { type Credentials, KubeClient, loadConnection } from '@kmm-hub/kube';
import { runFolder, startControlPlane } from '@kmm-hub/lab';
import { Agent } from 'undici';

/** What one request may cost beside bare undici sending the same one (design.md, "Budgets"). */
const BUDGET = 1.3;
const REQUESTS = 2000;
const ROUNDS = 15;
const CONCURRENCY = 64;
/** About what a ManifestWork weighs. */
const payload = 'x'.repeat(6 * 1024);

type Cost = { requestsPerSecond: number; cpuMsPerRequest: number };
type Sender = (name: string) => Promise<unknown>;

/** Prints requests per second and CPU per request of KubeClient and of bare undici; exit code 1 over the budget. */
async function main(): Promise<void> {
  const { signal } = new AbortController();
  const folder = await runFolder('bench-client');
  const plane = await startControlPlane({ name: 'bench', folder: join(folder, 'plane'), signal });
  try {
    const connection = await loadConnection({ kubeconfig: plane.adminKubeconfig });
    const client = new KubeClient(connection, 'bench');
    const bare = bareSender(plane.url, await connection.credentials());
    const ours: Sender = (name) => client.replace(configMap, { object: object(name) }, signal);
    const created = Array.from({ length: CONCURRENCY }, (_, index) => `m${index}`);
    await Promise.all(created.map((name) => client.create(configMap, object(name), signal)));
    const [undici, kube] = await compare(bare.send, ours);
    await Promise.all([client.close(), bare.close()]);
    report(undici, kube);
  } finally {
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function object(name: string): ConfigMap {
  return { metadata: { name, namespace: 'default' }, data: { payload } };
}

/** The same requests as the client sends, over the same number of connections, the answers read to the end. */
function bareSender(origin: string, { ca, clientCertificate }: Credentials) {
  const connect = { ...(ca !== undefined && { ca }), ...clientCertificate };
  const agent = new Agent({ connections: CONCURRENCY, allowH2: false, connect });
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const send: Sender = async (name) => {
    const path = `/api/v1/namespaces/default/configmaps/${name}`;
    const body = JSON.stringify({ ...object(name), apiVersion: 'v1', kind: 'ConfigMap' });
    const answer = await agent.request({ origin, path, method: 'PUT', headers, body });
    return answer.body.json();
  };
  return { send, close: () => agent.destroy() };
}

/** Rounds take turns, so that both meet the same machine; the median round counts, and the first of each warms up. */
async function compare(first: Sender, second: Sender): Promise<[Cost, Cost]> {
  const costs: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, sender] of [first, second].entries()) {
      const cost = await measure(sender);
      if (round > 0) costs[index]?.push(cost);
    }
  }
  return [median(costs[0]), median(costs[1])];
}

async function measure(send: Sender): Promise<Cost> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  let next = 0;
  const work = async (name: string) => {
    while (next++ < REQUESTS) await send(name);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, index) => work(`m${index}`)));
  const { user, system } = process.cpuUsage(cpu);
  return {
    requestsPerSecond: REQUESTS / ((performance.now() - started) / 1000),
    cpuMsPerRequest: (user + system) / 1000 / REQUESTS,
  };
}

function median(costs: Cost[]): Cost {
  const sorted = [...costs].sort((one, other) => one.cpuMsPerRequest - other.cpuMsPerRequest);
  return sorted[Math.floor(sorted.length / 2)] as Cost;
}

function report(undici: Cost, kube: Cost): void {
  const ratio = kube.cpuMsPerRequest / undici.cpuMsPerRequest;
  const ok = ratio <= BUDGET;
  const line = (name: string, { requestsPerSecond, cpuMsPerRequest }: Cost) =>
    `${name.padEnd(12)} ${requestsPerSecond.toFixed(0).padStart(7)} requests/s  ${cpuMsPerRequest.toFixed(3)} ms CPU a request\n`;
  const json = process.argv.includes('--json');
  const words = `${line('undici', undici)}${line('KubeClient', kube)}CPU ratio ${ratio.toFixed(2)}, budget ${BUDGET}\n`;
  (json ? process.stderr : process.stdout).write(words);
  if (json) process.stdout.write(`${JSON.stringify({ ok, cpuRatio: ratio, budget: BUDGET, undici, kube })}\n`);
  process.exitCode = ok ? 0 : 1;
}

await main();
