import type { Taint } from '@kmm-hub/api-types';

/**
 * What is asked of one element (NFD v0.19): `op` is one of In NotIn InRegexp Exists DoesNotExist Gt Ge Lt Le GtLt GeLe
 * IsTrue IsFalse; `type` is left out or "version", and only the operators that compare look at it.
 */
export type MatchExpression = { op: string; value?: readonly string[]; type?: string };

/** One feature set, e.g. "pci.device", and what must hold in it. Without either expression the set only has to exist. */
export type FeatureTerm = {
  feature: string;
  matchExpressions?: Readonly<Record<string, MatchExpression>>;
  /** Asked of the names of the elements instead of their values. */
  matchName?: MatchExpression;
};

/** The rule of a NodeFeatureRule; those of the worker and of a NodeFeatureGroup have fewer fields. */
export type FeatureRule = {
  name: string;
  labels?: Readonly<Record<string, string>>;
  labelsTemplate?: string;
  vars?: Readonly<Record<string, string>>;
  varsTemplate?: string;
  annotations?: Readonly<Record<string, string>>;
  extendedResources?: Readonly<Record<string, string>>;
  taints?: readonly Taint[];
  /** All must match. */
  matchFeatures?: readonly FeatureTerm[];
  /** One must match. */
  matchAny?: readonly { matchFeatures: readonly FeatureTerm[] }[];
};
