import { HubError } from '@kmm-hub/api-types';

/** Code of SecretNotFoundError, by which a status tells of it. */
export const SECRET_NOT_FOUND = 'SecretNotFound';

/** A Secret or a key of it that the recipe names is not there. */
export class SecretNotFoundError extends HubError {
  override readonly name = 'SecretNotFoundError';
  readonly code = SECRET_NOT_FOUND;
  readonly retry = 'backoff';
  readonly remedy: string;
  constructor(namespace: string, { name, key }: { name: string; key?: string }) {
    const what = key === undefined ? '' : ` with key "${key}"`;
    super(`Secret ${namespace}/${name}${what} does not exist`);
    this.remedy = `Create Secret ${name}${what} in namespace ${namespace} of the hub.`;
  }
}

/** Neither the registry has the image nor does the recipe say how to make it. */
export class ImageMissingError extends HubError {
  override readonly name = 'ImageMissingError';
  readonly code = 'ImageNotFound';
  readonly retry = 'backoff';
  readonly remedy = 'Push the image, or give the kernel mapping a build or sign section.';
  constructor(image: string) {
    super(`image ${image} is not in its registry`);
  }
}

/** The tag holds an image that is not ours, and the recipe asks to replace what changed. */
export class ForeignImageError extends HubError {
  override readonly name = 'ForeignImageError';
  readonly code = 'ForeignImage';
  readonly retry = 'never';
  readonly remedy = 'Give the kernel mapping another tag, or delete the image from its registry.';
  constructor(image: string) {
    super(`image ${image} was not published by this hub; it is never overwritten`);
  }
}

/** The tag holds an image of ours for another kernel or another architecture. */
export class OtherNodesImageError extends HubError {
  override readonly name = 'OtherNodesImageError';
  readonly code = 'ImageOfOtherNodes';
  readonly retry = 'backoff';
  readonly remedy =
    'Give each kernel its own image, with ${KERNEL_FULL_VERSION} in its name or tag, or delete the old one from its registry.';
  /** e.g. "6.1.0-53-amd64 on amd64". */
  constructor(image: string, { made, wanted }: { made: string; wanted: string }) {
    super(`image ${image} was made for kernel ${made}, and is now wanted for kernel ${wanted}`);
  }
}
