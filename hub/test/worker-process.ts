import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { checkout } from '@kmm-hub/lab';
import { expect } from 'vitest';
import { freePort } from '../../lab/src/host/ports.ts';
import { type RunningProcess, startProcess } from '../../lab/src/host/process.ts';
import { type HubWorld, signal } from './hub-world.ts';

export type WorkerProcess = {
  process: RunningProcess;
  /** Status and text of the answer, e.g. "200 ok". */
  readyz: () => Promise<string>;
  /** Lines of its log, parsed. */
  log: () => Promise<Record<string, unknown>[]>;
  /** Stops it if it still runs, and takes away what buildah's death left mounted. */
  stop: () => Promise<void>;
};

/** The worker as it ships, under its role. */
export async function startWorkerProcess({ kubeconfigs, redis, folder }: HubWorld): Promise<WorkerProcess> {
  const port = await freePort();
  const readyz = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal });
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
  const workFolder = join(folder, `worker-${port}`);
  const flags = {
    kubeconfig: kubeconfigs.worker,
    'health-port': String(port),
    'work-folder': workFolder,
  };
  const logFile = join(folder, `worker-${port}.log`);
  const process = await startProcess({
    name: 'worker',
    command: execPath,
    args: [
      join(checkout, 'queue/src/worker.ts'),
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    ],
    env: { KMM_REDIS: redis.url },
    logFile,
    ready: async () => expect(await readyz()).toBe('200 ok'),
    readyTimeoutMs: 60_000,
    signal,
  });
  const log = async () => {
    const lines = (await readFile(logFile, 'utf8')).split('\n');
    return lines.flatMap((line) => (line.endsWith('}') ? JSON.parse(line) : [])); // the last one may be half written
  };
  const stop = async () => {
    await process.stop();
    await unmountBelow(workFolder);
  };
  return { process, readyz, log, stop };
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const points = mounts.split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const point of points.filter((one) => one.startsWith(`${folder}/`))) {
    await promisify(execFile)('umount', ['--lazy', point]);
  }
}
