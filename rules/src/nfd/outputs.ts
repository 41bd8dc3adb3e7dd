import type { Features, Taint } from '@kmm-hub/api-types';
import { isLabelKey, isLabelValue } from '../label.ts';
import { accepted, type RuleResult, refused } from '../rule-error.ts';
import { quote } from './numbers.ts';

const QUANTITY = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;
const MAX_ANNOTATION_BYTES = 1024; // NFD's own bound
const TAINT_EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/**
 * The value of a label or an extended resource; `@<domain>.<set>.<element>` stands for that attribute's, with every
 * name spelled as the feature is (NFD v0.19 §5.4). WrongFeatureOutput when there is no such attribute.
 */
export function resolveDynamicValue(value: string, { attributes }: Features): RuleResult<string> {
  if (!value.startsWith('@')) return accepted(value);
  const [domain, set, ...element] = value.slice(1).split('.');
  const feature = `${domain}.${set}`;
  const elements = attributes && Object.hasOwn(attributes, feature) ? attributes[feature]?.elements : undefined;
  const name = element.join('.');
  const resolved = elements && Object.hasOwn(elements, name) ? elements[name] : undefined;
  if (resolved !== undefined) return accepted(resolved);
  return refused('WrongFeatureOutput', `${quote(value)} is no attribute of this node`);
}

/** A label that Kubernetes takes: `[prefix/]name` and a value of 63 characters at most (NFD v0.19 §4.6). */
export function checkLabel(name: string, value: string): RuleResult<string> {
  const key = checkName(name);
  if (!key.ok) return key;
  if (isLabelValue(value)) return accepted(value);
  return refused('WrongFeatureOutput', `${quote(value)} is not a label's value`);
}

/** An annotation that Kubernetes takes, of 1,024 bytes at most. */
export function checkAnnotation(name: string, value: string): RuleResult<string> {
  const key = checkName(name);
  if (!key.ok) return key;
  const bytes = Buffer.byteLength(value);
  if (bytes <= MAX_ANNOTATION_BYTES) return accepted(value);
  return refused('WrongFeatureOutput', `the value has ${bytes} bytes, more than ${MAX_ANNOTATION_BYTES}`);
}

/** A resource with a Kubernetes quantity, e.g. "2", "1500m" or "4Gi". */
export function checkExtendedResource(name: string, value: string): RuleResult<string> {
  const key = checkName(name);
  if (!key.ok || QUANTITY.test(value)) return key.ok ? accepted(value) : key;
  return refused('WrongFeatureOutput', `${quote(value)} is not a quantity`);
}

/** A taint with a key, a label's value and one of the three effects. */
export function checkTaint({ key, value = '', effect }: Taint): RuleResult<unknown> {
  const label = checkLabel(key, value);
  if (!label.ok || TAINT_EFFECTS.includes(effect)) return label;
  return refused('WrongFeatureOutput', `${quote(effect)} is not an effect`);
}

function checkName(key: string): RuleResult<string> {
  if (isLabelKey(key)) return accepted(key);
  return refused('WrongFeatureOutput', `${quote(key)} is not a name, with or without a prefix`);
}
