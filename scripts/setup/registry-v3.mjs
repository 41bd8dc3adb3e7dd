import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureGo } from './go.mjs';
import { withLock } from './lock.mjs';
import { checkout, registryV3Folder } from './paths.mjs';
import { run } from './run.mjs';

/**
 * Makes the registry of distribution v3, the second server of the registry conformance tests beside Debian's 2.8: built once
 * per change of its sources and kept in the cache. Only tests need it.
 * @throws {SetupError} when Go cannot be had, the build fails, or another setup takes too long.
 */
export async function ensureRegistryV3({ progress, signal }) {
  const folder = registryV3Folder(process.env);
  if (existsSync(folder)) return;
  const onWait = () => progress('registry v3: waiting for another setup that builds it');
  await withLock({ file: `${folder}.lock`, limitSeconds: 900, signal, onWait }, async () => {
    if (!existsSync(folder)) await build(folder, { progress, signal });
  });
}

/** For the holder of the lock. The finished folder appears by one rename: nobody ever sees half of it. */
async function build(folder, { progress, signal }) {
  const go = await ensureGo({ progress, signal });
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true }); // of a build that was killed: we hold the lock
  mkdirSync(unfinished);
  try {
    progress('registry v3: compiling, once, for about a minute');
    await run(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(unfinished, 'registry'), '.'], {
      cwd: join(checkout, 'lab/registry-v3'),
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
      signal,
    });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
