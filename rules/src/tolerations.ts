import type { Taint, Toleration } from '@kmm-hub/api-types';

/** Taints of a node under pressure that never keep a module away (KMM v2.6 §3.3). */
export const BUILT_IN_TOLERATIONS: readonly Toleration[] = ['disk-pressure', 'memory-pressure', 'pid-pressure'].map(
  (pressure) => ({ key: `node.kubernetes.io/${pressure}`, operator: 'Exists', effect: 'NoSchedule' }),
);

/**
 * Whether the tolerations and the built-in ones cover every taint of effect NoSchedule or NoExecute, each compared as
 * the Kubernetes scheduler does. PreferNoSchedule keeps no module away; tolerationSeconds is not looked at.
 */
export function toleratesTaints(taints: readonly Taint[], tolerations: readonly Toleration[]): boolean {
  const all = [...BUILT_IN_TOLERATIONS, ...tolerations];
  return taints
    .filter(({ effect }) => effect !== 'PreferNoSchedule')
    .every((taint) => all.some((toleration) => tolerates(toleration, taint)));
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return (!operator || operator === 'Equal') && (value ?? '') === (taint.value ?? '');
}
