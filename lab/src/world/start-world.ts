import type { WorldContext } from './hub-world.ts';
import { type ClusterPlan, World } from './world.ts';
import { type Phase, type Step, worldPhases } from './world-steps.ts';

/** Starts all of a plan. `tell` has one line for each thing that runs. @throws the first error of a step. */
export async function startWorld(
  plan: readonly ClusterPlan[],
  { context, tell = () => undefined }: { context: WorldContext; tell?: (line: string) => void },
): Promise<World> {
  const world = new World(plan);
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  for (const phase of worldPhases(world, { ...context, signal })) await runPart(phase, { tell, failed });
  return world;
}

type Runner = { tell: (line: string) => void; failed: AbortController };

/** The first step that fails ends those beside it, and is not over before they are. */
async function runPart(part: Phase | Step, runner: Runner): Promise<void> {
  if ('run' in part) return runStep(part, runner);
  if (!part.atOnce) {
    for (const next of part.parts) await runPart(next, runner);
    return;
  }
  await Promise.allSettled(part.parts.map((next) => runPart(next, runner)));
  if (runner.failed.signal.aborted) throw runner.failed.signal.reason;
}

async function runStep({ name, run }: Step, { tell, failed }: Runner): Promise<void> {
  try {
    await run(() => undefined);
    tell(name);
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}
