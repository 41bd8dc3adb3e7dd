import { readFile } from 'node:fs/promises';
import type { Restartable } from '../host/restartable.ts';

/** How often a worker has begun to build each image, by the name of the ModuleImage; read from its log, of all starts. */
export async function buildsBegun({ logFile }: Restartable): Promise<Map<string, number>> {
  return countBuilds(await readFile(logFile, 'utf8'));
}

/** `text`: lines of pino. A kill -9 may have cut one short. */
export function countBuilds(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const job = /"job":"([0-9a-f]{40})","step":"Building"/.exec(line)?.[1];
    if (job !== undefined) counts.set(job, (counts.get(job) ?? 0) + 1);
  }
  return counts;
}
