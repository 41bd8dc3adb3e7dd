import { CONTAINS_MODULES_LABEL, type Namespace } from '@kmm-hub/api-types';

/**
 * The labels of a namespace to change: it carries the contains-modules label exactly while a Module lives there, one that
 * is being deleted included, since unloading still needs the namespace's secrets. Undefined: nothing to do.
 */
export function planNamespaceLabels(
  namespace: Namespace | undefined,
  hasModules: boolean,
): Record<string, string | null> | undefined {
  if (namespace === undefined) return undefined;
  const label = namespace.metadata.labels?.[CONTAINS_MODULES_LABEL];
  if (hasModules) return label === '' ? undefined : { [CONTAINS_MODULES_LABEL]: '' };
  return label === undefined ? undefined : { [CONTAINS_MODULES_LABEL]: null };
}
