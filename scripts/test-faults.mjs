import { runAfterSetup } from './setup/run-after-setup.mjs';

// `npm run test:faults`: sets the machine up (what is there costs nothing), then runs the campaigns under Node 24.
process.exitCode = await runAfterSetup(['lab/src/faults/main.ts', ...process.argv.slice(2)]);
