import type { Condition } from '@kmm-hub/api-types';

export type ConditionUpdate = Omit<Condition, 'lastTransitionTime'>;

/** The list with these conditions set; lastTransitionTime moves only when the status does (Kubernetes API convention). */
export function setConditions(
  conditions: readonly Condition[] | undefined,
  updates: readonly ConditionUpdate[],
  now: Date,
): Condition[] {
  const result = new Map((conditions ?? []).map((condition) => [condition.type, condition]));
  for (const update of updates) {
    const old = result.get(update.type);
    const moved = old?.status !== update.status;
    const lastTransitionTime = moved || !old ? now.toISOString().replace(/\.\d+Z$/, 'Z') : old.lastTransitionTime;
    result.set(update.type, { ...update, message: update.message.slice(0, 32768), lastTransitionTime });
  }
  return [...result.values()];
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
