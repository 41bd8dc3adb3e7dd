import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { ensureGo } from './go.mjs';
import { withLock } from './lock.mjs';
import { checkout, controlPlaneFolder, controlPlanePrograms, goBuildFlags } from './paths.mjs';
import { run } from './run.mjs';

const spaceNeededGiB = 4; // modules, Go's build cache and the binary
const progressEveryMs = 15_000;

/**
 * Makes etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl: one binary, built once per change of its
 * sources and kept in the cache. Programs in KUBEBUILDER_ASSETS (the convention of envtest) are used instead.
 */
export async function ensureControlPlane({ progress, signal }) {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const missing = controlPlanePrograms.filter((name) => !assets || !existsSync(join(assets, name)));
  if (missing.length === 0) return;
  if (assets) progress(`control plane: KUBEBUILDER_ASSETS has no ${missing.join(', ')}; these come from the build`);
  const folder = controlPlaneFolder(process.env);
  if (existsSync(folder)) return;
  const onWait = () => progress('control plane: waiting for another setup that builds it');
  await withLock({ file: `${folder}.lock`, limitSeconds: 1_800, signal, onWait }, async () => {
    if (!existsSync(folder)) await build(folder, { progress, signal });
  });
}

/** For the holder of the lock. The finished folder appears by one rename: nobody ever sees half of it. */
async function build(folder, { progress, signal }) {
  const go = await ensureGo({ progress, signal });
  checkSpace(dirname(folder));
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true }); // of a build that was killed: we hold the lock
  mkdirSync(unfinished);
  try {
    progress('control plane: compiling etcd and Kubernetes, once, for some minutes');
    await compile(go, join(unfinished, 'control-plane'), { progress, signal });
    for (const name of controlPlanePrograms) symlinkSync('control-plane', join(unfinished, name));
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function compile(go, output, { progress, signal }) {
  const started = Date.now();
  let packages = 0;
  const tell = () =>
    progress(`control plane: ${packages} packages compiled (${Math.round((Date.now() - started) / 1000)} s)`);
  const ticker = setInterval(tell, progressEveryMs);
  try {
    await run(go, ['build', '-v', ...goBuildFlags, '-o', output, '.'], {
      cwd: join(checkout, 'lab/control-plane'),
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
      signal,
      onLine: (line) => {
        if (!line.startsWith('go: ')) packages += 1;
      },
    });
  } finally {
    clearInterval(ticker);
  }
}

function checkSpace(folder) {
  const { bavail, bsize } = statfsSync(folder);
  const freeGiB = (bavail * bsize) / 2 ** 30;
  if (freeGiB >= spaceNeededGiB) return;
  throw new SetupError(
    `${folder} has ${freeGiB.toFixed(1)} GiB free; building the control plane takes ${spaceNeededGiB}`,
    {
      remedy: 'Free some space, or set KMM_HUB_CACHE to a folder on a larger disk.',
    },
  );
}
