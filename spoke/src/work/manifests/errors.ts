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

/** The work asks for something of OCM's that this stand-in does not do. Doing less in silence would be worse. */
export class UnsupportedOptionError extends HubError {
  override readonly name = 'UnsupportedOptionError';
  readonly code = 'UnsupportedOption';
  readonly retry = 'never';
  readonly remedy = "Take the option out of the ManifestWork, or run OCM's own work agent on the spoke.";
  constructor(option: string) {
    super(`${option} is not supported by this work agent`);
  }
}

/** Another manager holds a field that the manifest sets, and the work does not force it: waiting changes nothing. */
export class FieldConflictError extends HubError {
  override readonly name = 'FieldConflictError';
  readonly code = 'FieldConflict';
  readonly retry = 'never';
  readonly remedy = 'Set serverSideApply.force, take the field out of the manifest, or have its manager give it up.';
}
