import { setImmediate } from 'node:timers/promises';
import { explain, HubError } from '@kmm-hub/api-types';

export type StepResult = { name: string; ok: boolean; seconds: number };

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

  /** Counts as done only when `work` has read back what it did. @throws StepFailedError */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const running = this.#timed(name, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Resolves when no step runs any more: what a failed step left running beside it must not outlive the run. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running]);
    await setImmediate(); // whoever shows the steps has shown their ends
  }

  async #timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const seconds = () => Math.round((performance.now() - started) / 100) / 10;
    try {
      const result = await work();
      this.results.push({ name, ok: true, seconds: seconds() });
      return result;
    } catch (cause) {
      this.results.push({ name, ok: false, seconds: seconds() });
      throw new StepFailedError(name, { cause, folder: this.#folder });
    }
  }
}
