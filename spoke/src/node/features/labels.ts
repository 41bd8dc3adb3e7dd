import { FEATURE_LABEL_NAMESPACE } from '@kmm-hub/api-types';

export const FEATURE_LABEL_PREFIX = `${FEATURE_LABEL_NAMESPACE}/`;

/** A built-in source's key as it stands on the Node. `cpu`, `cpuid.AVX` → `feature.node.kubernetes.io/cpu-cpuid.AVX` */
export function featureLabel(source: string, key: string): string {
  return key.includes('/') ? key : `${FEATURE_LABEL_PREFIX}${source}-${key}`;
}
