import { HubError } from '@kmm-hub/api-types';

/** The manifest names a kind that the spoke does not serve. The words are kubectl's; OCM's users search for them. */
export class UnknownKindError extends HubError {
  override readonly name = 'UnknownKindError';
  readonly code = 'UnknownKind';
  readonly retry = 'backoff';
  readonly remedy = 'Install the CustomResourceDefinition on the spoke.';
  constructor(apiVersion: string, kind: string) {
    super(`the server doesn't have a resource type "${kind}" in ${apiVersion}`);
  }
}

/** The manifest cannot be applied as it stands in the work. */
export class InvalidManifestError extends HubError {
  override readonly name = 'InvalidManifestError';
  readonly code = 'InvalidManifest';
  readonly retry = 'never';
  readonly remedy = 'Correct the manifest in the ManifestWork.';
}

/** serverSideApply.ignoreFields cannot be obeyed: a path that cannot be read, or jq. */
export class IgnoreFieldsError extends HubError {
  override readonly name = 'IgnoreFieldsError';
  readonly code = 'IgnoreFieldsInvalid';
  readonly retry = 'never';
  readonly remedy = 'Correct serverSideApply.ignoreFields in manifestConfigs of the ManifestWork.';
}

/** The executor of the work may not do what applying takes. A role may be bound at any time, so it is asked again. */
export class ExecutorDeniedError extends HubError {
  override readonly name = 'ExecutorDeniedError';
  readonly code = 'ExecutorDenied';
  readonly retry = 'backoff';
  readonly remedy = 'Bind a role to the service account that spec.executor of the ManifestWork names.';
}

/** Another manager holds a field that the manifest sets, and the work does not force it: waiting changes nothing. */
export class FieldConflictError extends HubError {
  override readonly name = 'FieldConflictError';
  readonly code = 'FieldConflict';
  readonly retry = 'never';
  readonly remedy = 'Set serverSideApply.force, take the field out of the manifest, or have its manager give it up.';
}
