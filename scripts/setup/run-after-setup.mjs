import { spawn } from 'node:child_process';
import { explainFailure, setup } from '../setup.mjs';
import { checkout, node24 } from './paths.mjs';

/**
 * Sets the machine up, then runs one of our programs under Node 24 and gives its exit code. Words about setting up go to
 * stderr, since the program's stdout may be read by a machine.
 * @param {string[]} args the program and its arguments, relative to the checkout
 */
export async function runAfterSetup(args) {
  try {
    await setup({ progress: (line) => console.error(line) });
  } catch (error) {
    console.error(explainFailure(error));
    return 1;
  }
  const child = spawn(node24, args, { cwd: checkout, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; what is sent to us alone is handed on, and the child's end is waited for.
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 130 : 1)));
  });
}
