import { join } from 'node:path';
import { type ConfigMap, configMap, type KubeObject, namespace } from '@kmm-hub/api-types';
import { createLogger, KubeClient, loadConnection, Reflector } from '@kmm-hub/kube';
import { waitFor } from '../host/wait.ts';
import { startControlPlane } from '../servers/control-plane.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { mirrorController, wrongCopies } from './mirror.ts';
import { dice, shuffled } from './random.ts';
import { drawStep, kinds, NAMESPACE, type Scene, type Step, stepOf } from './steps.ts';

export type CampaignOptions = {
  /** Absolute path of a folder for this campaign alone. */
  folder: string;
  /** It goes on for longer until each kind of fault has come once. */
  minutes: number;
  /** Of all that is drawn; the same one draws the same faults again, at times that the machine decides. */
  seed: number;
  /** Told what was done in a round, before it is done. */
  onRound: (round: number, steps: readonly string[]) => void;
  signal: AbortSignal;
};

const SETTLE_LIMIT_MS = 120_000;

/**
 * Round after round of writes and faults on a real API server while a reflector follows and a controller writes. After each
 * round it is quiet, and then the cache must equal a fresh list, and all that the controller writes must be right. Answers
 * with the number of rounds. @throws NotReadyError when something stays wrong.
 */
export async function runFaultCampaign(options: CampaignOptions): Promise<number> {
  const { folder, seed, signal } = options;
  const plane = await startControlPlane({ name: 'campaign', folder: join(folder, 'plane'), signal });
  const proxy = await startFaultProxy({ plane, folder });
  const direct = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }), 'campaign');
  const client = new KubeClient(proxy.connection, 'campaign', { timeoutMs: 2000 });
  const stop = new AbortController();
  const reflector = followerOf(client);
  const mirror = mirrorController({ client, cache: reflector.cache });
  const running = Promise.all([reflector.run(stop.signal), mirror.run(stop.signal)]);
  try {
    await direct.create(namespace, { metadata: { name: NAMESPACE } }, signal);
    return await playRounds({ plane, proxy, direct, roll: dice(seed), signal }, reflector, options);
  } finally {
    stop.abort();
    await running;
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

async function playRounds(
  scene: Scene,
  reflector: Reflector<ConfigMap>,
  { minutes, onRound }: CampaignOptions,
): Promise<number> {
  const { roll } = scene;
  const until = performance.now() + minutes * 60_000;
  const first = shuffled(kinds, roll); // one a round, so that each comes
  let round = 0;
  for (; round < first.length || performance.now() < until; round += 1) {
    const kind = first[round];
    const drawn = Array.from({ length: 1 + roll.below(8) }, () => drawStep(roll));
    const steps = kind === undefined ? drawn : [...drawn, stepOf(kind, roll), drawStep(roll)];
    onRound(
      round,
      steps.map(({ name }) => name),
    );
    await playRound(scene, reflector, steps);
  }
  return round;
}

async function playRound(scene: Scene, { cache }: Reflector<ConfigMap>, steps: readonly Step[]): Promise<void> {
  const { direct, proxy, signal } = scene;
  for (const { run } of steps) await run(scene);
  proxy.decide = () => undefined;
  const check = async () => {
    const { items } = await direct.list(configMap, { namespace: NAMESPACE }, signal);
    if (!cache.synced || versions(items) !== versions(cache.list()))
      throw new Error('the cache differs from a fresh list');
    const wrong = wrongCopies(items);
    if (wrong.length > 0) throw new Error(`wrong copies of ${wrong.join(', ')}`);
    return true;
  };
  await waitFor({ what: 'the quiet after a round', check, timeoutMs: SETTLE_LIMIT_MS, intervalMs: 20, signal });
}

function versions(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata: { name, resourceVersion } }) => `${name}@${resourceVersion}`)
    .sort()
    .join();
}
