import { runAfterSetup } from './setup/run-after-setup.mjs';

// `npm run demo`: sets the machine up (what is there costs nothing), then runs the main job under Node 24.
process.exitCode = await runAfterSetup(['lab/src/demo.ts', ...process.argv.slice(2)]);
