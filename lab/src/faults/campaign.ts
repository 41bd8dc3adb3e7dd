import { join } from 'node:path';
import { type ConfigMap, configMap, type KubeObject, namespace } from '@kmm-hub/api-types';
import { createLogger, KubeClient, loadConnection, Reflector } from '@kmm-hub/kube';
import { waitFor } from '../host/wait.ts';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.ts';
import { compactEtcd } from './etcd.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import type { Fault } from './faults.ts';
import { type Dice, dice } from './random.ts';

export type CampaignOptions = {
  /** Absolute path of a folder for this campaign alone. */
  folder: string;
  minutes: number;
  /** Of all that is drawn; the same one draws the same faults again, at times that the machine decides. */
  seed: number;
  /** Told what was done in a round, before it is done. */
  onRound: (round: number, steps: readonly string[]) => void;
  signal: AbortSignal;
};

const NAMESPACE = 'campaign';
const SETTLE_LIMIT_MS = 30_000;

/**
 * Round after round of writes and faults on a real API server while a reflector follows; after each round it is quiet, and
 * the cache must equal a fresh list. Answers with the number of rounds. @throws NotReadyError when a cache stays wrong.
 */
export async function runFaultCampaign(options: CampaignOptions): Promise<number> {
  const { folder, minutes, seed, signal } = options;
  const plane = await startControlPlane({ name: 'campaign', folder: join(folder, 'plane'), signal });
  const proxy = await startFaultProxy({ plane, folder });
  const direct = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'campaign');
  const client = new KubeClient(proxy.connection, 'campaign', { timeoutMs: 2000 });
  const stop = new AbortController();
  const reflector = followerOf(client);
  const following = reflector.run(stop.signal);
  const scene = { plane, proxy, direct, roll: dice(seed), signal };
  try {
    await direct.create(namespace, { metadata: { name: NAMESPACE } }, signal);
    const until = performance.now() + minutes * 60_000;
    let round = 0;
    for (; performance.now() < until; round += 1)
      await playRound(scene, reflector, (steps) => options.onRound(round, steps));
    return round;
  } finally {
    stop.abort();
    await following;
    await Promise.all([client.close(), direct.close()]);
    await proxy.stop();
    await plane.stop();
  }
}

function followerOf(client: KubeClient): Reflector<ConfigMap> {
  return new Reflector<ConfigMap>({
    ...{ client, resource: configMap, select: { namespace: NAMESPACE, pageSize: 5 } },
    log: createLogger({ process: 'campaign', level: 'silent', pretty: false }),
    timing: { watchSeconds: 2, graceMs: 500, backoff: { firstMs: 10, maxMs: 200 } },
  });
}

type Scene = { plane: ControlPlane; proxy: FaultProxy; direct: KubeClient; roll: Dice; signal: AbortSignal };
type Step = { name: string; run: (scene: Scene) => Promise<void> | void };

async function playRound(
  scene: Scene,
  { cache }: Reflector<ConfigMap>,
  tell: (steps: string[]) => void,
): Promise<void> {
  const { roll, direct, proxy, signal } = scene;
  const steps = Array.from({ length: 1 + roll.below(8) }, () => drawStep(roll));
  tell(steps.map(({ name }) => name));
  for (const { run } of steps) await run(scene);
  proxy.decide = () => undefined;
  const check = async () => {
    const { items } = await direct.list(configMap, { namespace: NAMESPACE }, signal);
    return cache.synced && versions(items) === versions(cache.list()) ? true : undefined;
  };
  await waitFor({
    what: 'a cache that equals a fresh list',
    check,
    timeoutMs: SETTLE_LIMIT_MS,
    intervalMs: 20,
    signal,
  });
}

function versions(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata: { name, resourceVersion } }) => `${name}@${resourceVersion}`)
    .sort()
    .join();
}

const faults: readonly Fault[] = [
  { kind: 'answer', status: 410 },
  { kind: 'answer', status: 422 },
  { kind: 'answer', status: 429, retryAfterSeconds: 0 },
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 503 },
  { kind: 'cut' },
  { kind: 'lose' },
  { kind: 'stall' },
  { kind: 'expire' },
  { kind: 'duplicate' },
  { kind: 'delay', ms: 50 },
];

function drawStep(roll: Dice): Step {
  const drawn = roll.below(100);
  if (drawn < 45) return writeStep(roll);
  if (drawn < 70) return faultStep(roll);
  if (drawn < 84) return { name: 'cut all', run: ({ proxy }) => proxy.cutAll() };
  if (drawn < 95) return { name: 'stall all', run: ({ proxy }) => proxy.stallAll() };
  if (drawn < 98) return { name: 'compact etcd', run: ({ plane, signal }) => compactEtcd(plane, signal) };
  return { name: 'kill the API server', run: killApiServer };
}

function writeStep(roll: Dice): Step {
  const name = `m${roll.below(12)}`;
  if (roll.below(3) === 0) {
    const remove = ({ direct, signal }: Scene) => direct.delete(configMap, { namespace: NAMESPACE, name }, signal);
    return { name: `delete ${name}`, run: remove };
  }
  const data = { value: String(roll.below(1000)) };
  const patch = { metadata: { name, namespace: NAMESPACE }, data };
  const options = { ref: { namespace: NAMESPACE, name }, patch, type: 'apply', fieldManager: 'campaign' } as const;
  return {
    name: `write ${name}`,
    run: async ({ direct, signal }) => void (await direct.patch(configMap, options, signal)),
  };
}

/** The next few requests meet it, whatever they are. */
function faultStep(roll: Dice): Step {
  const fault = faults[roll.below(faults.length)] as Fault;
  let left = 1 + roll.below(4);
  const decide = () => {
    left -= 1;
    return left >= 0 ? fault : undefined;
  };
  const run = ({ proxy }: Scene) => {
    proxy.decide = decide;
    proxy.cutAll(); // so that there are new requests
  };
  return { name: `${fault.kind}${fault.kind === 'answer' ? ` ${fault.status}` : ''} × ${left}`, run };
}

async function killApiServer({ plane, signal }: Scene): Promise<void> {
  const server = plane.component('kube-apiserver');
  await server.kill9();
  await server.restart(signal);
}
