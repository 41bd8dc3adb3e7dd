import { HubError } from '@kmm-hub/api-types';

/** The node's own disk or files refuse: full, read-only, broken. */
export class NodeDiskError extends HubError {
  override readonly name = 'NodeDiskError';
  readonly code = 'NodeDiskFailed';
  readonly retry = 'backoff';
  readonly remedy = 'Look at the free space and the health of the disk that holds /var/lib/kmm on the node.';
}

/** What the operating system refuses is to be expected on a node and reaches the status; other errors pass as they are. */
export function nodeFailure(err: unknown): unknown {
  const ofTheSystem = err instanceof Error && !(err instanceof HubError) && 'syscall' in err;
  return ofTheSystem ? new NodeDiskError(err.message, { cause: err }) : err;
}
