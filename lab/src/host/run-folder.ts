import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { runRoot } from './config.ts';

/**
 * A new folder for one run, e.g. `.run/demo-x4Tq9a`, which only its owner may enter: it holds keys, tokens and sockets.
 * Two runs never share one.
 */
export async function runFolder(name: string): Promise<string> {
  await mkdir(runRoot, { recursive: true });
  return mkdtemp(join(runRoot, `${name}-`));
}
