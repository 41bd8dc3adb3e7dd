import type { FeatureRule } from './feature-rule.ts';

/** What is needed of a NodeFeatureRule. */
type NodeFeatureRuleObject = { metadata: { name: string }; spec: { rules: readonly FeatureRule[] } };

/** The rules of all objects in the order in which they are evaluated: by the objects' names (NFD v0.19 §5.1). */
export function rulesInOrder(objects: readonly NodeFeatureRuleObject[]): FeatureRule[] {
  return objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).flatMap(({ spec }) => spec.rules);
}
