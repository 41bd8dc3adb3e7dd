import { randomBytes } from 'node:crypto';
import { explain, HubError, namespace as namespaces } from '@kmm-hub/api-types';
import { Listr, type ListrTask } from 'listr2';
import type { CaseResult, ConformanceCase } from './case.ts';
import { UnexpectedError } from './expectation.ts';
import { configMapManifest, MANIFEST_WORK_FINALIZER } from './objects.ts';
import { type Bench, type Limits, Stage } from './stage.ts';

export type JudgeOptions = {
  limits: Limits;
  /** Also the cases that take minutes. Default false. */
  slow?: boolean;
  /** How results are shown while they come; "silent" for tests. */
  renderer: 'default' | 'simple' | 'silent';
};

/** Cases that run beside each other: most of a case's time is waiting. */
const CONCURRENCY = 16;

/**
 * Judges the agent of a bench by cases, those that stop it or cut it off last. Every case has a result; one that fails does not
 * stop the others. An agent that does nothing at all fails every case, after `limits.startMs`.
 */
export async function judge(
  bench: Bench,
  { cases, ...options }: JudgeOptions & { cases: readonly ConformanceCase[] },
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const run = { bench, signal, ...options, prefix: `c${randomBytes(2).toString('hex')}`, results: new Map() };
  const judged = cases.filter((given) => !skipped(run, given));
  await greet(run, judged);
  const left = judged.filter((given) => !run.results.has(given));
  const together = left.filter(({ alone }) => !alone).map((given) => taskOf(run, given));
  const alone = left.filter((given) => given.alone).map((given) => taskOf(run, given));
  await inTasks(run, together, CONCURRENCY);
  await inTasks(run, alone, 1);
  return cases.flatMap((given) => run.results.get(given) ?? []);
}

type Run = Omit<JudgeOptions, 'cases'> & {
  bench: Bench;
  signal: AbortSignal;
  /** Of this run's namespaces and works. */
  prefix: string;
  results: Map<ConformanceCase, CaseResult>;
};

function skipped({ slow, limits, results }: Run, given: ConformanceCase): boolean {
  const { number, title } = given;
  const reason =
    given.slow && !slow
      ? 'takes minutes: --slow'
      : given.needsEvictionGrace && limits.evictionGraceMs === undefined
        ? "needs the agent's time of grace: --eviction-grace"
        : undefined;
  if (reason !== undefined) results.set(given, { number, title, result: 'skipped', seconds: 0, reason });
  return reason !== undefined;
}

/** An agent may take long to start; what it does first with any work is to give it a finalizer. */
async function greet(run: Run, cases: readonly ConformanceCase[]): Promise<void> {
  const stage = await openStage(run, 'start');
  await stage.createWork('w', [configMapManifest(stage.namespace, 'cm')]);
  try {
    await stage.becomes('finalizers of the first work after the start of the agent', {
      read: async () => (await stage.work('w'))?.metadata.finalizers ?? [],
      expected: [MANIFEST_WORK_FINALIZER],
      limitMs: run.limits.startMs,
    });
  } catch (err) {
    for (const given of cases) run.results.set(given, failed(given, { err, seconds: 0 }));
    run.signal.throwIfAborted();
  }
}

function taskOf(run: Run, given: ConformanceCase): ListrTask {
  const { number, title } = given;
  return {
    title: `${number}  ${title}`,
    task: async (_, task) => {
      const result = await resultOf(run, given);
      run.results.set(given, result);
      task.title = `${number}  ${title} (${result.seconds} s)`;
      if (result.result === 'failed') throw new Error(`${result.number}: ${result.reason}`);
    },
  };
}

async function inTasks({ renderer, signal }: Run, tasks: ListrTask[], concurrent: number): Promise<void> {
  const list = new Listr(tasks, { concurrent, exitOnError: false, registerSignalListeners: false, renderer });
  await list.run();
  signal.throwIfAborted();
}

async function resultOf(run: Run, given: ConformanceCase): Promise<CaseResult> {
  const { number, title } = given;
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 100) / 10;
  try {
    await given.run(await openStage(run, number));
    return { number, title, result: 'passed', seconds: seconds() };
  } catch (err) {
    return failed(given, { err, seconds: seconds() });
  }
}

/** A failure that is no verdict, for example of the API server, fails the case too: nothing is passed unseen. */
function failed({ number, title }: ConformanceCase, { err, seconds }: { err: unknown; seconds: number }): CaseResult {
  const base = { number, title, result: 'failed' as const, seconds };
  if (!(err instanceof UnexpectedError)) {
    return { ...base, reason: err instanceof HubError ? explain(err) : String((err as Error)?.stack ?? err) };
  }
  const { reason, expected, seen } = err;
  return { ...base, reason, expected, seen };
}

async function openStage({ bench, prefix, limits, signal }: Run, name: string): Promise<Stage> {
  const namespace = `${prefix}-${name}`;
  await bench.spoke.create(namespaces, { metadata: { name: namespace } }, signal);
  return new Stage(bench, { namespace, limits, signal });
}
