import type { Stage } from './stage.ts';

/** One thing that a work agent must do, judged by objects on the two API servers alone. */
export type ConformanceCase = {
  /** For `--cases`, e.g. "26" or "26-slow". */
  number: string;
  /** A fact in the present tense, of an agent that does right. */
  title: string;
  /** Takes minutes: only with `--slow`. */
  slow?: true;
  /** Stops the agent, or cuts its way to the hub: nothing else runs meanwhile. */
  alone?: true;
  /** Only for an agent whose time of grace for vanished works is known. */
  needsEvictionGrace?: true;
  /** Returns when the agent did right. @throws UnexpectedError */
  run(stage: Stage): Promise<void>;
};

export type CaseResult = {
  number: string;
  title: string;
  result: 'passed' | 'failed' | 'skipped';
  seconds: number;
  /** Of a failed case: what was looked at, or why it could not be; of a skipped one why. */
  reason?: string;
  /** As JSON. */
  expected?: string;
  seen?: string;
};
