import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { checkout } from '@kmm-hub/lab';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { eventually, type HubWorld, signal } from './hub-world.ts';

/** A hub as a process of its own, under its shipped role. */
export type HubProcess = RunningProcess & {
  /** Status and words of /readyz, e.g. "200 ok: leader". */
  ready(): Promise<string>;
  metrics(): Promise<string>;
  /** All that is no line of the log, which is JSON. */
  lastWords(): Promise<string[]>;
};

export async function startHubProcess(
  { kubeconfigs, redis, folder }: HubWorld,
  kubeconfig: string = kubeconfigs.hub,
): Promise<HubProcess> {
  const port = await freePort();
  const text = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
    return { status: answer.status, words: (await answer.text()).trim() };
  };
  const hub = await startProcess({
    name: 'hub',
    command: execPath,
    args: [join(checkout, 'hub/src/main.ts'), `--kubeconfig=${kubeconfig}`, `--health-port=${port}`],
    env: { KMM_REDIS: redis.url },
    logFile: join(folder, `hub-${port}.log`),
    ready: async () => void (await text('/healthz')),
    signal,
  });
  return {
    ...hub,
    ready: async () => Object.values(await text('/readyz')).join(' '),
    metrics: async () => (await text('/metrics')).words,
    lastWords: async () => {
      const lines = (await readFile(hub.logFile, 'utf8')).split('\n');
      return lines.filter((line) => line !== '' && !line.startsWith('{'));
    },
  };
}

/** `words`: "ok: leader" or "ok: standby". */
export async function untilReady(hub: HubProcess, words: string): Promise<void> {
  await eventually(hub.ready, (reading) => reading === `200 ${words}`);
}
