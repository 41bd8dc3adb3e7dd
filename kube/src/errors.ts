import { HubError, type Retry } from '@kmm-hub/api-types';

/** metav1.Status, as much of it as we read. */
export type ApiStatus = { message?: string; reason?: string; code?: number; details?: { retryAfterSeconds?: number } };

/** The API server answered, and the answer is no. `request` is "verb path", never a body or a header. */
export class ApiError extends HubError {
  override readonly name: string = 'ApiError';
  readonly code: string = 'ApiServerRefused';
  readonly retry: Retry = 'backoff';
  readonly remedy: string = 'The API server says why; the request is tried again.';
  readonly status: number;
  readonly reason: string;
  constructor(request: string, status: number, answer: ApiStatus) {
    super(`${request}: ${answer.message || answer.reason || `HTTP ${status}`}`);
    this.status = status;
    this.reason = answer.reason ?? '';
  }
}

/** 404: the object, its namespace or its kind is not there. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError';
  override readonly code = 'NotFound';
  override readonly remedy = 'Create the object, its namespace or its CustomResourceDefinition.';
}

/** 409 on create: somebody made it first. */
export class AlreadyExistsError extends ApiError {
  override readonly name = 'AlreadyExistsError';
  override readonly code = 'AlreadyExists';
}

/** 409: the object changed since it was read, or a precondition does not hold. Read again and decide again. */
export class ConflictError extends ApiError {
  override readonly name = 'ConflictError';
  override readonly code = 'Conflict';
}

/** 401 or 403: this process's role does not allow it. */
export class ForbiddenError extends ApiError {
  override readonly name = 'ForbiddenError';
  override readonly code = 'Forbidden';
  override readonly remedy = 'Apply deploy/rbac, or check the token that the process runs with.';
}

/** 400 or 422: the object is wrong. Trying again does not help. */
export class InvalidObjectError extends ApiError {
  override readonly name = 'InvalidObjectError';
  override readonly code = 'InvalidObject';
  override readonly retry = 'never';
  override readonly remedy = 'Correct the field that the message names.';
}

/** 410: the resource version is too old for a watch; list again. */
export class ResourceExpiredError extends ApiError {
  override readonly name = 'ResourceExpiredError';
  override readonly code = 'ResourceExpired';
}

/** 429: asked too often; `retryAfterMs` is the server's wish. */
export class TooManyRequestsError extends ApiError {
  override readonly name = 'TooManyRequestsError';
  override readonly code = 'TooManyRequests';
  readonly retryAfterMs: number;
  constructor(request: string, retryAfterMs: number, answer: ApiStatus) {
    super(request, 429, answer);
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer: refused, reset, timed out, or a certificate that is not trusted. */
export class UnreachableError extends HubError {
  override readonly name = 'UnreachableError';
  readonly code = 'ApiServerUnreachable';
  readonly retry = 'backoff';
  readonly remedy = 'Check the server address in the kubeconfig, and that the API server is up.';
  constructor(server: string, options: ErrorOptions) {
    super(`API server ${server} does not answer${causeText(options.cause)}`, options);
  }
}

/** An answer that is no API server's: cut JSON, or the page of a proxy in between. */
export class MalformedAnswerError extends HubError {
  override readonly name = 'MalformedAnswerError';
  readonly code = 'MalformedAnswer';
  readonly retry = 'backoff';
  readonly remedy = 'Check that the address is an API server, and what stands between it and this process.';
  constructor(request: string, options: ErrorOptions) {
    super(`${request}: the answer cannot be read${causeText(options.cause)}`, options);
  }
}

/** This process led and no longer does, so it may not write any more. */
export class LeadershipLostError extends HubError {
  override readonly name = 'LeadershipLostError';
  readonly code = 'LeadershipLost';
  readonly retry = 'never';
  readonly remedy = 'None is needed: another instance leads, or this one is started again and stands by.';
  constructor(lease: string, reason: string) {
    super(`lease ${lease} is lost: ${reason}`);
  }
}

/** The kubeconfig or the in-cluster files cannot be used. */
export class ConnectionConfigError extends HubError {
  override readonly name = 'ConnectionConfigError';
  readonly code = 'WrongKubeconfig';
  readonly retry = 'never';
  readonly remedy = 'Give --kubeconfig FILE, set KUBECONFIG, or run inside a cluster.';
}

/** The URL of a proxy cannot be used. It is not repeated: it may hold a password. */
export class ProxyConfigError extends HubError {
  override readonly name = 'ProxyConfigError';
  readonly code = 'WrongProxy';
  readonly retry = 'never';
  readonly remedy =
    'Write HTTPS_PROXY, HTTP_PROXY or proxy-url of the kubeconfig as http://host:port or https://host:port.';
  constructor(server: string) {
    super(`the proxy to ${server} has no valid URL`);
  }
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  const code = (cause as NodeJS.ErrnoException).code;
  return `: ${cause.message || code || cause.name}`;
}

/** Reads the answer of the API server into the error for it. */
export function errorFor(request: string, status: number, answer: ApiStatus & { retryAfterMs?: number }): ApiError {
  if (status === 404) return new NotFoundError(request, status, answer);
  if (status === 409 && answer.reason === 'AlreadyExists') return new AlreadyExistsError(request, status, answer);
  if (status === 409) return new ConflictError(request, status, answer);
  if (status === 401 || status === 403) return new ForbiddenError(request, status, answer);
  if (status === 400 || status === 422) return new InvalidObjectError(request, status, answer);
  if (status === 410) return new ResourceExpiredError(request, status, answer);
  if (status === 429) return new TooManyRequestsError(request, answer.retryAfterMs ?? 1000, answer);
  return new ApiError(request, status, answer);
}
