import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, node24 } from './setup/paths.mjs';
import { ensureRegistryV3 } from './setup/registry-v3.mjs';
import { explainFailure, setup } from './setup.mjs';

// `npm test`: sets the machine up, then runs every check and every test. The last line counts them all.

/** Lint and type check count as one test each. */
const CHECKS = [
  ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
  ['type check', ['node_modules/typescript/bin/tsc', '--noEmit']],
];
const PROJECTS = ['unit', 'integration', 'e2e'];

const reports = join(checkout, '.run', `test-${process.pid}`);
const total = { passed: 0, failed: 0 };

try {
  const progress = (line) => console.log(line);
  await setup({ progress });
  await ensureRegistryV3({ progress }); // after setup, which may have to install Go
} catch (error) {
  console.error(explainFailure(error));
  process.exit(1);
}

for (const [name, args] of CHECKS) {
  const code = await run(args);
  if (code === 0) total.passed += 1;
  else total.failed += 1;
  console.log(`${name}: ${code === 0 ? 'passed' : 'failed'}`);
}
mkdirSync(reports, { recursive: true });
for (const project of PROJECTS) await runProject(project);
rmSync(reports, { recursive: true, force: true });

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** A test that is skipped counts as failed: nothing is left out silently. */
async function runProject(project) {
  const file = join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await run(['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters]);
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`the ${project} tests ended without a report: ${error.message}`);
    total.failed += 1;
    return;
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.error(`${skipped} ${project} tests were skipped; each counts as failed`);
  const failed = report.numFailedTests + skipped;
  total.passed += report.numPassedTests;
  total.failed += code !== 0 && failed === 0 ? 1 : failed; // a file that cannot be loaded fails without a test of its own
}

function run(args) {
  // Tools look for `node` in PATH: it must be ours, not the system's.
  const env = { ...process.env, PATH: `${join(checkout, 'node_modules/.bin')}:${process.env.PATH}` };
  const child = spawn(node24, args, { cwd: checkout, stdio: ['ignore', 'inherit', 'inherit'], env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
