/** Kubernetes' rules for labels, as nfd-master and the API server apply them. */
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const FEATURE_LABEL_PREFIX = 'feature.node.kubernetes.io/';

/** `[prefix/]name`: prefix a DNS subdomain of at most 253 characters, name at most 63. */
export function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const [prefix] = parts;
  if (parts.length > 1 || !NAME.test(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && DOMAIN.test(prefix));
}

/** Empty, or at most 63 characters that start and end with a letter or a digit. */
export function isLabelValue(value: string): boolean {
  return value === '' || NAME.test(value);
}

/** A built-in source's key as it stands on the Node. `cpu`, `cpuid.AVX` → `feature.node.kubernetes.io/cpu-cpuid.AVX` */
export function featureLabel(source: string, key: string): string {
  return key.includes('/') ? key : `${FEATURE_LABEL_PREFIX}${source}-${key}`;
}
