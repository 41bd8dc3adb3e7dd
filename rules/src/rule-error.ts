import { HubError } from '@kmm-hub/api-types';

const REMEDIES = {
  WrongKernelVersion: 'Report what `uname -r` prints, e.g. "6.1.0-53-amd64".',
  WrongRegexp: 'Write the expression in RE2 syntax: no look-around and no back-references.',
  WrongTemplate:
    'Write variables as $NAME, ${NAME} or ${NAME:-text}, where text is plain or one $NAME, and $$ for a dollar sign.',
  ContainerImageMissing: 'Set containerImage in the kernel mapping or in the container.',
  WrongFeatureRule:
    'Correct the expression; see the operators of NodeFeatureRule. Compare with type: version where values are versions.',
  WrongFeatureTemplate:
    'Write range, if, with, fields, variables and the functions that the documentation lists; lines are key=value.',
  WrongFeatureOutput: 'Give the label, annotation, resource or taint a name and a value that Kubernetes accepts.',
  LegacyFeatureRule:
    'Write the rule with labels and matchFeatures, or matchAny for several matchers, as NFD does since v0.15.',
  ClusterTooOld:
    'Upgrade the cluster to Kubernetes 1.34 (OpenShift 4.21), deselect it, or serve its nodes with devicePlugin instead of dra.',
  ImageWithoutTag: 'Add a tag or a digest to the image, e.g. registry.example.com/kmod:${KERNEL_FULL_VERSION}.',
} as const;

/** The reason of a condition, and what callers decide by. */
export type RuleErrorCode = keyof typeof REMEDIES;

/**
 * What a user wrote, or a node reported, breaks a rule. Rules hand it back as a value and never throw it; trying again
 * does not help until the input changes. `message` names the field that is wrong.
 */
export class RuleError extends HubError {
  override readonly name = 'RuleError';
  readonly code: RuleErrorCode;
  readonly retry = 'never';
  readonly remedy: string;
  constructor(code: RuleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = REMEDIES[code];
  }
}

/** The outcome of a rule that input can break. */
export type RuleResult<T> = { ok: true; value: T } | { ok: false; error: RuleError };

export function accepted<T>(value: T): RuleResult<T> {
  return { ok: true, value };
}

export function refused(code: RuleErrorCode, message: string, options?: ErrorOptions): RuleResult<never> {
  return { ok: false, error: new RuleError(code, message, options) };
}
