import { Listr, type ListrTask } from 'listr2';
import { type Phase, type Step, worldPhases } from '../world/world-steps.ts';
import { type Demo, rolloutSteps } from './rollout.ts';
import { removalStep, scenes } from './scenes.ts';
import type { Steps } from './steps.ts';

export type DemoOptions = {
  steps: Steps;
  /** The world stays as it is after the last scene: nothing is removed. */
  keep: boolean;
  /** A terminal that can be drawn on. */
  interactive: boolean;
};

/**
 * Starts the world, runs the main job on it and what happens to a fleet that runs; each step has read back what it did.
 * `demo.found` tells how far a failed run came. @throws StepFailedError
 */
export async function runDemo(demo: Demo, { steps, keep, interactive }: DemoOptions): Promise<void> {
  const parts: (Phase | Step)[] = [
    ...worldPhases(demo.world, demo.context),
    ...rolloutSteps(demo),
    scenes(demo),
    ...(keep ? [] : [removalStep(demo)]),
  ];
  const tasks = parts.map((part) => shown(part, steps));
  await new Listr(tasks, {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false, // ours stop the world first
    fallbackRenderer: 'simple',
    fallbackRendererCondition: () => !interactive,
  }).run();
}

function shown(part: Phase | Step, steps: Steps): ListrTask {
  return 'run' in part ? shownStep(part, steps) : shownPhase(part, steps);
}

function shownPhase({ title, atOnce, parts }: Phase, steps: Steps): ListrTask {
  const tasks = parts.map((part) => shown(part, steps));
  return {
    title,
    task: (_, task) => task.newListr(tasks, { concurrent: atOnce, rendererOptions: { collapseSubtasks: false } }),
  };
}

function shownStep(step: Step, steps: Steps): ListrTask {
  return {
    title: step.name,
    task: async (_, task) => {
      const { seconds } = await steps.run(step, (line) => {
        task.output = line;
      });
      task.title = `${step.name} (${seconds} s)`;
    },
  };
}
