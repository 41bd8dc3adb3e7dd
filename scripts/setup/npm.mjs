import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { checkout, node24 } from './paths.mjs';
import { run } from './run.mjs';

const lockFile = join(checkout, 'package-lock.json');
const stampFile = join(checkout, 'node_modules/.kmm-hub-stamp'); // hash of the package-lock.json that was installed
const npmRecord = join(checkout, 'node_modules/.package-lock.json'); // npm writes it at the end of every install

/**
 * As strict as can be: `npm ci` refuses a lock without the optional packages of other platforms, and npm leaves those out of
 * the lock when it could not see them (npm/cli issue 4828). This takes the locked versions and writes no lock.
 */
const npmInstall = ['install', '--no-save', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];

/** Installs the npm packages of package-lock.json, unless they are there. Then Node 24 is at node_modules/.bin/node. */
export async function ensureNpmPackages({ progress, signal }) {
  if (isCurrent()) return;
  const onWait = () => progress('npm packages: waiting for another setup of this checkout');
  await withLock({ file: join(checkout, '.run/npm.lock'), limitSeconds: 600, signal, onWait }, async () => {
    if (isCurrent()) return;
    progress('npm packages: installing');
    await run('npm', npmInstall, { cwd: checkout, signal });
    writeFileSync(stampFile, lockHash());
  });
  if (existsSync(node24)) return;
  throw new SetupError(`npm has no Node 24 for ${process.platform}-${process.arch}`, {
    remedy: 'Linux on x64 and arm64 have it; was npm told to omit optional packages?',
  });
}

/** Somebody's own `npm install` after the last change of package-lock.json is as good as ours. */
function isCurrent() {
  if (!existsSync(npmRecord) || !existsSync(node24)) return false;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash()) return true;
  return statSync(npmRecord).mtimeMs >= statSync(lockFile).mtimeMs;
}

function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}
