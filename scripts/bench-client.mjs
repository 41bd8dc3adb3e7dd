import { runAfterSetup } from './setup/run-after-setup.mjs';

// `npm run bench:client`: sets the machine up (what is there costs nothing), then measures the API server client under Node 24.
process.exitCode = await runAfterSetup(['bench/client.ts', ...process.argv.slice(2)]);
