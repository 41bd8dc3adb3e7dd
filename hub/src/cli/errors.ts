import { HubError } from '@kmm-hub/api-types';

/** What gives every right that `status` and `why` use on the hub. */
export const VIEWER_REMEDY = 'Ask for ClusterRole kmm-hub-viewer (deploy/rbac/kubectl-kmm.hub.yaml).';

/** The command cannot be carried out without this right. */
export class NoRightError extends HubError {
  override readonly name = 'NoRightError';
  readonly code = 'NoRight';
  readonly retry = 'never';
  readonly remedy = VIEWER_REMEDY;
  constructor(right: string) {
    super(`you may not ${right} on the hub`);
  }
}

/** The API server does not know the user of the kubeconfig, or no longer. */
export class NotSignedInError extends HubError {
  override readonly name = 'NotSignedInError';
  readonly code = 'NotSignedIn';
  readonly retry = 'never';
  readonly remedy = 'Sign in again, or look whether --kubeconfig and --context are those of the hub.';
  constructor(answer: string, options: ErrorOptions) {
    super(`the API server does not know you: ${answer}`, options);
  }
}

/** A name on the command line that nothing has. */
export class UnknownNameError extends HubError {
  override readonly name = 'UnknownNameError';
  readonly code = 'UnknownName';
  readonly retry = 'never';
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** The hub's own endpoint cannot be used. */
export class HubEndpointError extends HubError {
  override readonly name = 'HubEndpointError';
  readonly code = 'HubEndpoint';
  readonly retry = 'backoff';
  readonly remedy: string;
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
