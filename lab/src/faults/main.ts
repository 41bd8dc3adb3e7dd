import { rm } from 'node:fs/promises';
import { explain } from '@kmm-hub/api-types';
import { Command, InvalidArgumentError } from 'commander';
import { createSigningSecrets } from '../demo/modules.ts';
import { Disposables, stopOnSignals } from '../host/disposables.ts';
import { runFolder } from '../host/run-folder.ts';
import { runKillCampaign } from '../survival/campaign.ts';
import { SURVIVAL_FLEET } from '../survival/fleet.ts';
import { roundText } from '../survival/report.ts';
import { startWorld } from '../world/start-world.ts';
import { runFaultCampaign } from './campaign.ts';

// `npm run test:faults -- --minutes 10 --rounds 20 --seed 1 --json`. Exit code 1 when something stayed wrong.

const options = new Command('test:faults')
  .description(
    'Faults between a reflector, a controller and a real API server; then a whole world of which one part after the other is killed.',
  )
  .option('--minutes <number>', 'of faults between a controller and an API server; 0 leaves them out', number, 10)
  .option('--rounds <number>', 'in which a part of a world is killed; 0 leaves them out', number, 20)
  .option('--seed <number>', 'of all that is drawn', number, Date.now() % 2 ** 32)
  .option('--json', 'one JSON object as the last line')
  .parse()
  .opts<{ minutes: number; rounds: number; seed: number; json?: boolean }>();

const disposables = new Disposables();
const { signal, release } = stopOnSignals(disposables);
const folder = await runFolder('faults');
const say = (text: string) => void process.stderr.write(`${text}\n`);
let last = '';
let figures: object;
try {
  say(`seed ${options.seed}`);
  const faults = options.minutes > 0 ? await requestFaults() : 0;
  const kills = options.rounds > 0 ? await killRounds() : [];
  const repeatedBuilds = kills.reduce((sum, kill) => sum + kill.repeatedBuilds, 0);
  figures = { ok: true, seed: options.seed, faultRounds: faults, killRounds: kills.length, repeatedBuilds };
  say('after each round all was as it should be');
} catch (error) {
  figures = { ok: false, seed: options.seed, last };
  say(`${explain(error)}\nseed ${options.seed}, ${last}\nlogs: ${folder}`);
  process.exitCode = 1;
}
for (const { name, error } of await disposables.stopAll()) say(`${name} did not stop as it should: ${explain(error)}`);
release();
if (process.exitCode !== 1) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);

async function requestFaults(): Promise<number> {
  const onRound = (round: number, steps: readonly string[]) => {
    last = `round ${round}: ${steps.join(', ')}`;
  };
  const rounds = await runFaultCampaign({ ...options, folder, onRound, signal });
  say(`${rounds} rounds of faults: after each the cache and what was written were right`);
  return rounds;
}

async function killRounds() {
  const world = await startWorld(SURVIVAL_FLEET, { context: { folder, disposables, signal } });
  await createSigningSecrets(world);
  say(`a world runs: ${world.spokes.length} spokes, ${world.nodes.length} nodes`);
  return runKillCampaign(world, {
    ...options,
    onRound: (round, plan) => {
      last = roundText(round, plan);
    },
    onResult: (round, result) => say(roundText(round, result)),
    signal,
  });
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It must be a number, 0 or more.');
  return value;
}
