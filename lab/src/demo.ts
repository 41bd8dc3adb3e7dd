import { rm } from 'node:fs/promises';
import { explain, HubError } from '@kmm-hub/api-types';
import { Command } from 'commander';
import { noFindings } from './demo/findings.ts';
import { FLEET } from './demo/fleet.ts';
import { demoResult, reportText } from './demo/report.ts';
import { runDemo } from './demo/run-demo.ts';
import { Steps } from './demo/steps.ts';
import { Disposables, stopOnSignals } from './host/disposables.ts';
import { runFolder } from './host/run-folder.ts';
import { World } from './world/world.ts';

const { keep, json } = new Command('demo')
  .description(
    'Runs the main job on this machine: one hub, two spokes, three nodes with real kernels, one of them under Secure Boot.',
  )
  .option('--keep', 'leaves the world running with its modules loaded, until Ctrl-C', false)
  .option('--json', 'the last line is one JSON object with the figures', false)
  .parse()
  .opts<{ keep: boolean; json: boolean }>();

const started = performance.now();
const folder = await runFolder('demo');
const disposables = new Disposables();
const { signal, release } = stopOnSignals(disposables);
const failed = new AbortController();
const steps = new Steps(folder);
const say = (text: string) => void process.stdout.write(`${text}\n`);

const world = new World(FLEET);
const found = noFindings();
let failure: unknown;
try {
  const interactive = process.stdout.isTTY === true;
  const context = { folder, disposables, signal: AbortSignal.any([signal, failed.signal]) };
  await runDemo({ world, found, context }, { steps, keep, interactive });
  say(`\n${reportText(found, steps.results)}`);
  if (keep) await stayUntilStopped(world);
} catch (err) {
  failure = err;
  failed.abort(err); // the steps beside the failed one end too
  await steps.settled();
  process.exitCode = 1;
  process.stderr.write(`${err instanceof HubError ? explain(err) : String((err as Error).stack ?? err)}\n`);
}
for (const { name, error } of await disposables.stopAll()) {
  process.stderr.write(`${name} did not stop as it should: ${explain(error)}\n`);
}
release();
if (failure === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 }); // a server's last words may still be written
const seconds = Math.round((performance.now() - started) / 100) / 10;
const ok = failure === undefined;
if (ok) say(`Everything was verified by reading it back; ${seconds} s.`);
if (json) say(JSON.stringify(demoResult(found, { ok, seconds, steps: steps.results })));

/** The world lives as long as this process: its children end with it. */
async function stayUntilStopped({ hub, spokes, nodes, redis }: World): Promise<void> {
  say('The world is running:');
  for (const plane of [hub, ...spokes]) say(`  export KUBECONFIG=${plane.adminKubeconfig}   # ${plane.name}`);
  for (const { node } of nodes) say(`  serial console of ${node.name}: ${node.logFile}`);
  say(`  logs: ${folder}, Redis on port ${redis.port}`);
  say(`Stop it with Ctrl-C or: kill ${process.pid}`);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => undefined, 60_000); // keeps the process alive
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
}
