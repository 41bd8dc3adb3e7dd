export { automaticBuildArgs, declaredBuildArgs, mergeBuildArgs, usesToolkit } from './build-args.ts';
export { formatKernelVersionsClaim, type KernelVersionsClaim, parseKernelVersionsClaim } from './claim.ts';
export { checkClusterVersion } from './cluster-version.ts';
export { type FoundKernelMapping, findKernelMapping } from './kernel-mapping.ts';
export {
  type DnsSafeKernelVersion,
  dnsSafeKernelVersion,
  kernelParts,
  type NormalisedKernelVersion,
  normaliseKernelVersion,
  parseKernelVersion,
  type RawKernelVersion,
  type TrimmedKernelVersion,
  trimKernelVersion,
} from './kernel-version.ts';
export { isLabelKey, isLabelValue } from './label.ts';
export { matchesLabelSelector, matchesLabels } from './label-selector.ts';
export { evaluateRules, type RuleOutcome } from './nfd/evaluate-rules.ts';
export type { FeatureRule, FeatureTerm, MatchExpression } from './nfd/feature-rule.ts';
export { rulesInOrder } from './nfd/node-feature-rules.ts';
export { parseWorkerRules, STATIC_WORKER_RULES } from './nfd/worker-rules.ts';
export { type ModuleImageQuestion, type ResolvedImage, resolveModuleImage } from './resolve-image.ts';
export { RuleError, type RuleErrorCode, type RuleResult } from './rule-error.ts';
export { type SubstitutedTemplate, substituteTemplate } from './template.ts';
export { BUILT_IN_TOLERATIONS, toleratesTaints } from './tolerations.ts';
export { findToolkitImage, type ToolkitCatalogueEntry } from './toolkit-catalogue.ts';
