/** What a caller may do next: try again with back-off, or wait until the input changes. */
export type Retry = 'backoff' | 'never';

/**
 * Everything that can be expected to go wrong. `code` is the condition reason, the log field and the REST code (CamelCase);
 * `retry` drives the work queue and the job queue; `remedy` tells a person the next step. Messages never hold secrets,
 * request bodies or headers.
 */
export abstract class HubError extends Error {
  abstract readonly code: string;
  abstract readonly retry: Retry;
  abstract readonly remedy: string;
}

/** A flag or an environment variable is missing or wrong: the process cannot start. */
export class UsageError extends HubError {
  override readonly name = 'UsageError';
  readonly code = 'WrongUsage';
  readonly retry = 'never';
  readonly remedy: string;
  constructor(message: string, remedy = 'Run the command with --help to see its flags.', options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** A tool or program that must be on the machine is not. */
export class MissingToolError extends HubError {
  override readonly name = 'MissingToolError';
  readonly code = 'MissingTool';
  readonly retry = 'never';
  readonly remedy: string;
  constructor(tool: string, remedy: string, options?: ErrorOptions) {
    super(`${tool} is not installed`, options);
    this.remedy = remedy;
  }
}

/** One line for a person: what happened, and what to do about it when the error knows. */
export function explain(error: unknown): string {
  if (error instanceof HubError) return `${error.message.replace(/[.!?]\s*$/, '')}. ${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
}
