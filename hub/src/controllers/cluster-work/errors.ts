import { HubError, type ObjectMeta } from '@kmm-hub/api-types';

/** Somebody else has a work of this name in the cluster's namespace (W10). */
export class ForeignWorkError extends HubError {
  override readonly name = 'ForeignWorkError';
  readonly code = 'ForeignWork';
  readonly retry = 'backoff';
  readonly remedy = 'Delete or rename the other work, or give the module another name.';
  constructor({ namespace, name }: ObjectMeta) {
    super(`ManifestWork ${namespace}/${name} exists and is not ours`);
  }
}

/** OCM's webhook would refuse it. */
export class WorkTooLargeError extends HubError {
  override readonly name = 'WorkTooLargeError';
  readonly code = 'WorkTooLarge';
  readonly retry = 'never';
  readonly remedy = 'Shorten image names or the module spec; OCM takes 512,000 bytes a work.';
  constructor({ namespace, name }: ObjectMeta, size: number) {
    super(`ManifestWork ${namespace}/${name} would have ${size} bytes`);
  }
}
