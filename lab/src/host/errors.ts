import { HubError } from '@kmm-hub/api-types';

/** How a process ended: one of the two is set. */
export type ExitStatus = { code: number | null; signal: NodeJS.Signals | null };

/** A process of the lab ended although it should run. The message holds the last lines of its log. */
export class ProcessExitedError extends HubError {
  override readonly name = 'ProcessExitedError';
  readonly code = 'ProcessExited';
  readonly retry = 'never';
  readonly remedy: string;
  constructor(
    process: string,
    exit: { status: ExitStatus; logFile: string; lastLines: string },
    options?: ErrorOptions,
  ) {
    const how = exit.status.signal ?? `code ${exit.status.code}`;
    super(`${process} ended with ${how}:\n${exit.lastLines}`, options);
    this.remedy = `Its whole log is ${exit.logFile}.`;
  }
}

/** Something did not become ready in its time; `cause` is what the last attempt said. */
export class NotReadyError extends HubError {
  override readonly name = 'NotReadyError';
  readonly code = 'NotReady';
  readonly retry = 'backoff';
  readonly remedy: string;
  constructor(what: string, timeoutMs: number, options: ErrorOptions & { remedy?: string } = {}) {
    const last = options.cause instanceof Error ? `: ${options.cause.message}` : '';
    super(`${what} was not ready within ${timeoutMs / 1000} s${last}`, options);
    this.remedy = options.remedy ?? 'A busy machine may need another try; else read the logs in the folder of the run.';
  }
}

/** A command that should succeed did not. The message holds what it wrote to stderr. */
export class CommandFailedError extends HubError {
  override readonly name = 'CommandFailedError';
  readonly code = 'CommandFailed';
  readonly retry = 'never';
  readonly remedy = 'Read what the command says.';
  constructor(command: string, stderr: string, options?: ErrorOptions) {
    super(`${command} failed: ${stderr.trim()}`, options);
  }
}

/** The person, or whoever runs this process, asked it to stop. */
export class StoppedBySignalError extends HubError {
  override readonly name = 'StoppedBySignalError';
  readonly code = 'StoppedBySignal';
  readonly retry = 'never';
  readonly remedy = 'Start it again.';
  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
  }
}

/** A server answered, but not with success: it may still be starting. */
export class UnexpectedAnswerError extends HubError {
  override readonly name = 'UnexpectedAnswerError';
  readonly code = 'UnexpectedAnswer';
  readonly retry = 'backoff';
  readonly remedy = 'Read the log of the server in the folder of the run.';
  constructor(url: string, status: number, options?: ErrorOptions) {
    super(`${url} answered ${status}`, options);
  }
}
