import { HubError } from '@kmm-hub/api-types';

/** A step of the Dockerfile failed. `lastLines` are the last lines it printed. */
export class BuildFailedError extends HubError {
  override readonly name = 'BuildFailedError';
  readonly code = 'BuildFailed';
  readonly retry = 'never';
  readonly remedy = 'Read the last lines of the build log and correct the Dockerfile or its build arguments.';
  readonly lastLines: readonly string[];
  constructor(message: string, lastLines: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.lastLines = lastLines;
  }
}

/** The Dockerfile cannot be read, or wants what a build on this hub may not do. */
export class DockerfileRefusedError extends HubError {
  override readonly name = 'DockerfileRefusedError';
  readonly code = 'DockerfileRefused';
  readonly retry = 'never';
  readonly remedy = 'Correct the Dockerfile in its ConfigMap.';
}

/** An image that the Dockerfile starts from could not be pulled. */
export class BaseImageError extends HubError {
  override readonly name = 'BaseImageError';
  readonly code = 'BaseImageUnavailable';
  readonly retry = 'backoff';
  readonly remedy =
    'Check the name in FROM, that its registry is reachable from the worker, and the credential in imageRepoSecret.';
  readonly lastLines: readonly string[];
  constructor(image: string, lastLines: readonly string[], options?: ErrorOptions) {
    super(`base image ${image} cannot be pulled: ${lastLines.at(-1) ?? 'no output'}`, options);
    this.lastLines = lastLines;
  }
}

/** The build took longer than it may. */
export class BuildTimeoutError extends HubError {
  override readonly name = 'BuildTimeoutError';
  readonly code = 'BuildTimeout';
  readonly retry = 'never';
  readonly remedy = 'Make the build faster, or raise the time-out of the worker.';
  constructor(timeoutMs: number, options?: ErrorOptions) {
    super(`the build took longer than ${Math.round(timeoutMs / 1000)} s`, options);
  }
}

/** The builder itself failed, not the Dockerfile: its storage is full, broken or not allowed here. */
export class BuilderBrokenError extends HubError {
  override readonly name = 'BuilderBrokenError';
  readonly code = 'BuilderBroken';
  readonly retry = 'backoff';
  readonly remedy = "Look at the worker's disk space and rights; buildah's own words stand in the message.";
}
