import { rm } from 'node:fs/promises';
import { argv } from 'node:process';
import { explain, HubError } from '@kmm-hub/api-types';
import { Disposables, stopOnSignals } from '../host/disposables.ts';
import { runFolder } from '../host/run-folder.ts';
import type { CaseResult } from './case.ts';
import { conformanceCases } from './cases/index.ts';
import { runConformance } from './conformance.ts';
import { type ConformanceOptions, parseOptions } from './options.ts';
import { conformanceReport, reportText } from './report.ts';

// `npm run conformance:work`. Exit codes: 0 the agent conforms, 1 it does not or could not be judged, 2 wrong usage.

const say = (text: string) => void process.stdout.write(`${text}\n`);
const complain = (err: unknown) => {
  process.stderr.write(`${err instanceof HubError ? explain(err) : String((err as Error)?.stack ?? err)}\n`);
};

/** The cases that could not be judged count as failed. */
async function main(options: ConformanceOptions): Promise<void> {
  const folder = await runFolder('conformance');
  const disposables = new Disposables();
  const { signal, release } = stopOnSignals(disposables);
  const cases = conformanceCases.filter(({ number }) => options.cases?.includes(number) ?? true);
  const renderer = process.stdout.isTTY === true ? 'default' : 'simple';
  let results: CaseResult[] = [];
  try {
    const context = { folder, disposables, signal };
    results = await runConformance({ context, options, cases }, { renderer, say });
  } catch (err) {
    complain(err);
    const reason = err instanceof HubError ? explain(err) : String(err);
    results = cases.map(({ number, title }) => ({ number, title, result: 'failed', seconds: 0, reason }));
  }
  for (const { name, error } of await disposables.stopAll()) complain(`${name} did not stop: ${explain(error)}`);
  release();
  const report = conformanceReport(results);
  const ofUse = !(report.ok || signal.aborted);
  if (!ofUse) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  if (!signal.aborted) say(`\n${reportText(report)}`);
  if (ofUse) say(`The logs of this run are in ${folder}.`);
  if (options.json) say(JSON.stringify(report));
  process.exitCode = report.ok ? 0 : 1;
}

let options: ConformanceOptions | undefined;
try {
  options = parseOptions(argv.slice(2));
} catch (err) {
  complain(err);
  process.exitCode = 2;
}
if (options !== undefined) await main(options);
