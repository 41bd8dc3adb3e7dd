import { setImmediate } from 'node:timers/promises';
import { explain, HubError } from '@kmm-hub/api-types';
import type { Step } from '../world/world-steps.ts';

/** `says`: the last line that the step told, which is what it has read back. */
export type StepResult = { name: string; ok: boolean; seconds: number; says?: string };

/** A step of the demo found something else than it should. */
export class StepFailedError extends HubError {
  override readonly name = 'StepFailedError';
  readonly code = 'StepFailed';
  readonly retry = 'never';
  readonly remedy: string;
  constructor(step: string, options: { cause: unknown; folder: string }) {
    super(`step "${step}" failed: ${chain(options.cause)}`, options);
    this.remedy = `The logs of this run are in ${options.folder}.`;
  }
}

/** An error with what its message does not tell of its causes: "hub was not ready within 60 s: connection refused". */
function chain(error: unknown): string {
  const text = explain(error);
  const cause = error instanceof Error && error.cause !== undefined ? chain(error.cause) : '';
  return cause === '' || text.includes(cause) ? text : `${text}: ${cause}`;
}

/** Runs and times the steps of one run. */
export class Steps {
  readonly results: StepResult[] = [];
  readonly #folder: string;
  readonly #running = new Set<Promise<unknown>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Counts as done only when the step has read back what it did. `show` gets each line it tells. @throws StepFailedError */
  run(step: Step, show: (line: string) => void): Promise<StepResult> {
    const running = this.#timed(step, show).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Resolves when no step runs any more: what a failed step left running beside it must not outlive the run. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running]);
    await setImmediate(); // whoever shows the steps has shown their ends
  }

  async #timed({ name, run }: Step, show: (line: string) => void): Promise<StepResult> {
    const started = performance.now();
    let says: string | undefined;
    const result = (ok: boolean): StepResult => {
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const step = { name, ok, seconds, ...(says !== undefined && { says }) };
      this.results.push(step);
      return step;
    };
    try {
      await run((line) => {
        says = line;
        show(line);
      });
    } catch (cause) {
      result(false);
      throw new StepFailedError(name, { cause, folder: this.#folder });
    }
    return result(true);
  }
}
