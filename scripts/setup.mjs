import { pathToFileURL } from 'node:url';
import { ensureControlPlane } from './setup/control-plane.mjs';
import { debianPackages, ensurePackages } from './setup/debian.mjs';
import { SetupError } from './setup/errors.mjs';
import { ensureNpmPackages } from './setup/npm.mjs';
import { ensureVirtFirmware } from './setup/virt-firmware.mjs';

/**
 * Brings a fresh machine to where a world can run: Debian packages, npm packages (Node 24 among them), the control-plane
 * programs. What is there already costs nothing. Runs on Node 18 and without node_modules.
 * @param {{ progress: (line: string) => void, signal?: AbortSignal }} options `progress` gets one short line per thing done
 * @throws {SetupError} for all that can be expected to go wrong
 */
export async function setup({ progress, signal }) {
  await step('Debian packages', (context) => ensurePackages(debianPackages, context), { progress, signal });
  const failed = new AbortController();
  const both = { progress, signal: signal ? anyOf(signal, failed) : failed.signal };
  const steps = [
    step('npm packages', ensureNpmPackages, both),
    step('control plane', ensureControlPlane, both),
    step('virt-firmware', ensureVirtFirmware, both),
  ];
  try {
    await Promise.all(steps);
  } finally {
    failed.abort(); // one has failed: the other ends, and we wait until it has
    await Promise.allSettled(steps);
  }
}

async function step(name, work, context) {
  const started = Date.now();
  await work(context);
  context.progress(`${name}: ready (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** AbortSignal.any came with Node 20. */
function anyOf(signal, controller) {
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  if (signal.aborted) controller.abort(signal.reason);
  return controller.signal;
}

/** What a person reads when setting up failed. What is neither a SetupError nor the system's (disk full, no right) is our mistake. */
export function explainFailure(error) {
  if (error instanceof SetupError) return [error.message, error.remedy].filter(Boolean).join('\n');
  const ofTheSystem = error instanceof Error && 'syscall' in error;
  return ofTheSystem ? error.message : String(error?.stack ?? error);
}

async function main() {
  const started = Date.now();
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort(new SetupError(`stopped by ${name}`)));
  try {
    await setup({ progress: (line) => console.log(line), signal: stop.signal });
    console.log(`ready (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    console.error(explainFailure(error));
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
