import { HubError } from '@kmm-hub/api-types';

/** A condition rule's expression cannot be read, or fails on the object as it is. */
export class CelError extends HubError {
  override readonly name = 'CelError';
  readonly code = 'ConditionRuleExpressionError';
  readonly retry = 'never';
  readonly remedy =
    'Correct the CEL expression in conditionRules of the ManifestWork; has(...) asks whether a field is there.';
}
