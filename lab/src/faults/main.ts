import { rm } from 'node:fs/promises';
import { explain } from '@kmm-hub/api-types';
import { Command } from 'commander';
import { runFolder } from '../host/run-folder.ts';
import { runFaultCampaign } from './campaign.ts';

// `npm run test:faults -- --minutes 10 --seed 1 --json`. Exit code 1 when a cache or what was written stayed wrong.

const options = new Command('test:faults')
  .description('Faults between a reflector, a controller and a real API server, round after round.')
  .option('--minutes <number>', 'how long', Number, 10)
  .option('--seed <number>', 'of the faults', Number, Date.now() % 2 ** 32)
  .option('--json', 'one JSON object as the last line')
  .parse()
  .opts<{ minutes: number; seed: number; json?: boolean }>();

const { signal } = new AbortController();
const folder = await runFolder('faults');
let last = '';
const onRound = (round: number, steps: readonly string[]) => {
  last = `round ${round}: ${steps.join(', ')}`;
};
try {
  process.stderr.write(`seed ${options.seed}\n`);
  const rounds = await runFaultCampaign({ ...options, folder, onRound, signal });
  await rm(folder, { recursive: true, force: true });
  process.stderr.write(`${rounds} rounds, after each the cache and what was written were right\n`);
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: true, seed: options.seed, rounds })}\n`);
} catch (error) {
  process.stderr.write(`${explain(error)}\nseed ${options.seed}, ${last}\nlogs: ${folder}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, seed: options.seed, last })}\n`);
  process.exitCode = 1;
}
