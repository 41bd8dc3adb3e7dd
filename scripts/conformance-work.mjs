import { runAfterSetup } from './setup/run-after-setup.mjs';

// `npm run conformance:work`: sets the machine up (what is there costs nothing), then judges a work agent under Node 24.
process.exitCode = await runAfterSetup(['lab/src/conformance/main.ts', ...process.argv.slice(2)]);
