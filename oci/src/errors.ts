import { HubError } from '@kmm-hub/api-types';

/** An image reference, repository or digest is not written as registries understand it. */
export class InvalidReferenceError extends HubError {
  override readonly name = 'InvalidReferenceError';
  readonly code = 'InvalidReference';
  readonly retry = 'never';
  readonly remedy = 'Write the image as host[:port]/path[:tag][@sha256:…], the path in lower case.';
}

/** No usable answer: connection refused or reset, a time-out, TLS failure, or HTTP 429 and 5xx after a few attempts. */
export class RegistryUnreachableError extends HubError {
  override readonly name = 'RegistryUnreachableError';
  readonly code = 'RegistryUnreachable';
  readonly retry = 'backoff';
  readonly remedy = 'Check that the registry runs, that its name resolves, and that its certificate is trusted here.';
  /** How long the registry is to be left alone, as it asked; undefined = try again soon, infinite = not in this call. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** HTTP 401 or 403, from the registry or from its token server. Some registries answer so for unknown repositories. */
export class RegistryDeniedError extends HubError {
  override readonly name = 'RegistryDeniedError';
  readonly code = 'RegistryDenied';
  readonly retry = 'backoff'; // rights are often given at the registry, which no watch of ours notices
  readonly remedy =
    'Check that the repository exists and that the Secret in imageRepoSecret holds a credential with the right for it.';
}

/** HTTP 404 for an image or a blob that must be there. */
export class ImageNotFoundError extends HubError {
  override readonly name = 'ImageNotFoundError';
  readonly code = 'ImageNotFound';
  readonly retry = 'never';
  readonly remedy = 'Push the image, or set spec.build so that the hub builds it for this kernel.';
  constructor(what: string, options?: ErrorOptions) {
    super(`${what} is not in its registry`, options);
  }
}

/** What arrived is not what its digest or size promises: a cut transfer, a broken registry, or a forgery. */
export class DigestMismatchError extends HubError {
  override readonly name = 'DigestMismatchError';
  readonly code = 'DigestMismatch';
  readonly retry = 'backoff';
  readonly remedy = 'Nothing of it was used. If it stays, push the image again: the registry holds a damaged copy.';
}

/** The registry understood the request and says no: any other 4xx, a redirect that must not be followed. */
export class RegistryRefusedError extends HubError {
  override readonly name = 'RegistryRefusedError';
  readonly code = 'RegistryRefused';
  readonly retry = 'never';
  readonly remedy = 'Look at the log of the registry: it refused the request, for example over a quota or a policy.';
  /** The HTTP status; undefined when it was we who refused. */
  readonly status: number | undefined;
  constructor(message: string, options?: ErrorOptions & { status?: number }) {
    super(message, options);
    this.status = options?.status;
  }
}

/** A manifest, config or layer that breaks its format, exceeds a limit, or tries to write outside of its root. */
export class ImageRefusedError extends HubError {
  override readonly name = 'ImageRefusedError';
  readonly code = 'ImageRefused';
  readonly retry = 'never';
  readonly remedy = 'Build the image again with a current builder; what is wrong with it stands in the message.';
}

/** The rules for registries forbid to read an image from its source, and name no mirror that has it. */
export class RegistryBlockedError extends HubError {
  override readonly name = 'RegistryBlockedError';
  readonly code = 'RegistryBlocked';
  readonly retry = 'never';
  readonly remedy = 'Add a mirror for it, or lift `blocked` (NeverContactSource) from its rule.';
  constructor(image: string, options?: ErrorOptions) {
    super(`image ${image} may not be read from anywhere`, options);
  }
}
