import { HubError } from '@kmm-hub/api-types';

/** Debian's package index holds no kernel of the series that was asked for, or none could be downloaded. */
export class KernelNotFoundError extends HubError {
  override readonly name = 'KernelNotFoundError';
  readonly code = 'KernelNotFound';
  readonly retry = 'never';
  readonly remedy =
    'Refresh the package index with `sudo apt-get update` and run again; the machine needs Debian sources, with those of security updates.';
}

/** The node is off, still booting after its limit, or stopped answering on its serial probe. */
export class NodeUnreachableError extends HubError {
  override readonly name = 'NodeUnreachableError';
  readonly code = 'NodeUnreachable';
  readonly retry = 'backoff';
  readonly remedy: string;
  constructor(message: string, consoleLog: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = `Read the node's console in ${consoleLog}.`;
  }
}

/** The probe refused or failed a command, for example because a module of that name is not loaded. */
export class ProbeRefusedError extends HubError {
  override readonly name = 'ProbeRefusedError';
  readonly code = 'ProbeRefused';
  readonly retry = 'never';
  readonly remedy = 'Check that what the probe was asked for exists on the node.';
}
