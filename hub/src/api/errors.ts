import { HubError, type Retry } from '@kmm-hub/api-types';

/** The hub's endpoint refuses a request; the message is for whoever asked. */
export abstract class RequestError extends HubError {
  /** Of HTTP. */
  abstract readonly status: number;
  readonly retry: Retry = 'never';
}

/** Neither a token nor a certificate that the API server's own users have. */
export class UnauthenticatedError extends RequestError {
  override readonly name = 'UnauthenticatedError';
  readonly code = 'Unauthenticated';
  readonly status = 401;
  readonly remedy =
    'Give the bearer token or the client certificate with which you use the API server of the hub; it may have expired.';
  constructor() {
    super('the hub does not know who asks');
  }
}

/** The API server knows the user, and says that the right is missing. */
export class MissingRightError extends RequestError {
  override readonly name = 'MissingRightError';
  readonly code = 'MissingRight';
  readonly status = 403;
  readonly remedy = 'Ask for ClusterRole kmm-hub-log-reader (deploy/rbac/kubectl-kmm.hub.yaml).';
  constructor(user: string, { verb, group, resource, subresource, name }: ResourceRight) {
    super(
      `user "${user}" cannot ${verb} resource "${resource}/${subresource}" named "${name}" in API group "${group}"`,
    );
  }
}

/** As in a SubjectAccessReview. */
export type ResourceRight = { verb: string; group: string; resource: string; subresource: string; name: string };

/** What was asked for cannot be there. */
export class WrongRequestError extends RequestError {
  override readonly name = 'WrongRequestError';
  readonly code = 'WrongRequest';
  readonly remedy =
    'It serves /logs/moduleimages/NAME?follow=true&tail=LINES&timestamps=true; NAME is that of a ModuleImage.';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Nobody has worked on the image lately, or at all. */
export class NoLogError extends RequestError {
  override readonly name = 'NoLogError';
  readonly code = 'NoLog';
  readonly status = 404;
  readonly remedy = 'Logs are kept for a day after the last attempt; `kubectl describe mimg NAME` tells how it ended.';
  constructor(name: string) {
    super(`no log is kept of image ${name}`);
  }
}

/** Each follower holds a connection to Redis. */
export class TooManyFollowersError extends RequestError {
  override readonly name = 'TooManyFollowersError';
  readonly code = 'TooManyFollowers';
  override readonly retry = 'backoff';
  readonly status = 429;
  readonly remedy = 'Ask again later, or without following.';
  constructor(limit: number, whose: string) {
    super(`${limit} logs are followed at once already${whose}`);
  }
}
