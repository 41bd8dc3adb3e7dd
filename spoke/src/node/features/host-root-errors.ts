import { HubError } from '@kmm-hub/api-types';

/** A path or a chain of links would leave the host root. */
export class OutsideHostRootError extends HubError {
  override readonly name = 'OutsideHostRootError';
  readonly code = 'OutsideHostRoot';
  readonly retry = 'never';
  readonly remedy = 'Look for a link on the node that points in a circle, or correct the path in the configuration.';
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} leads out of the host root`, options);
  }
}

/** A file on the node is larger than any fact about a node can be. */
export class HostFileTooLargeError extends HubError {
  override readonly name = 'HostFileTooLargeError';
  readonly code = 'HostFileTooLarge';
  readonly retry = 'never';
  readonly remedy = 'Make the file smaller; files under /proc and /sys never are this large.';
  constructor(path: string, maxBytes: number, options?: ErrorOptions) {
    super(`${path} is larger than ${maxBytes} bytes`, options);
  }
}

/** A source did not answer in time: a device that hangs holds up only its own source. */
export class FeatureSourceTimeoutError extends HubError {
  override readonly name = 'FeatureSourceTimeoutError';
  readonly code = 'FeatureSourceTimeout';
  readonly retry = 'backoff';
  readonly remedy = 'Look for a device on the node whose files under /sys do not answer.';
  constructor(source: string, timeoutMs: number, options?: ErrorOptions) {
    super(`feature source ${source} gave no answer within ${timeoutMs} ms`, options);
  }
}
