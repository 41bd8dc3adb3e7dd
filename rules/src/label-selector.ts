import type { LabelSelector } from '@kmm-hub/api-types';

type Labels = Readonly<Record<string, string>>;

/** Whether every label of the selector is there with the same value; {} matches everything (KMM's `selector`). */
export function matchesLabels(selector: Labels, labels: Labels = {}): boolean {
  return Object.entries(selector).every(([key, value]) => labelOf(labels, key) === value);
}

/**
 * metav1.LabelSelector as Kubernetes reads it: all of matchLabels and matchExpressions; {} matches everything; NotIn
 * also matches an absent label. An expression that Kubernetes refuses (In or NotIn without values) matches nothing.
 */
export function matchesLabelSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  const expressions = selector.matchExpressions ?? [];
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    expressions.every((expression) => matchesExpression(expression, labelOf(labels, expression.key)))
  );
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function matchesExpression({ operator, values = [] }: Expression, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return values.length > 0 && (value === undefined || !values.includes(value));
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Own keys only: "constructor" is a valid label key. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
