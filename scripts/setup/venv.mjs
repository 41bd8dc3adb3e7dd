import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

/**
 * A venv in the cache with one package of PyPI in it. A venv knows its own path, so it is made in its final place: a file
 * tells that it is finished, and a lock keeps two setups apart.
 * @param {{ folder: string, requirement: string }} venv e.g. `virt-firmware==26.10`
 * @throws {SetupError} when there is no network, no python3-venv, or the lock is held for too long.
 */
export async function ensureVenv({ folder, requirement }, { progress, signal }) {
  const stamp = join(folder, 'kmm-hub-installed');
  if (existsSync(stamp)) return;
  const onWait = () => progress(`${requirement}: waiting for another setup that installs it`);
  await withLock({ file: `${folder}.lock`, limitSeconds: 600, signal, onWait }, async () => {
    if (existsSync(stamp)) return;
    await run('python3', ['-m', 'venv', '--clear', folder], { signal });
    await run(join(folder, 'bin/pip'), ['install', '--quiet', requirement], { signal });
    writeFileSync(stamp, `${requirement}\n`);
  });
}
