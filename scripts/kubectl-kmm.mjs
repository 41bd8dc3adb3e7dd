#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, node24 } from './setup/paths.mjs';

// `kubectl kmm …` with this file (or a link to it) on PATH as kubectl-kmm, or `npm run kubectl-kmm -- …`. Runs under Node 24.

if (existsSync(node24)) {
  const child = spawn(node24, [join(checkout, 'hub/src/cli/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; what is sent to us alone is handed on, and the child's end is waited for.
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 130 : 1);
  });
} else {
  console.error('error: the npm packages are not installed. Run `npm run setup` in the checkout first.');
  process.exitCode = 1;
}
