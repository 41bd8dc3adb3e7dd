import type { AppliedManifestWork } from '@kmm-hub/api-types';

/**
 * What to do with an AppliedManifestWork. `managed` tells whether its work is on the hub, `undefined` that the hub has not
 * answered yet. A work that went without its finalizer being honoured (a hub restored from an old backup) may come back, so
 * its objects get a time of grace (OCM's eviction).
 */
export type AppliedWorkPlan =
  | { action: 'none' | 'cleanUp' | 'startEviction' | 'stopEviction' | 'evict' }
  | { action: 'wait'; forMs: number };

export function planAppliedWork(
  applied: AppliedManifestWork,
  { managed, graceMs, nowMs }: { managed: boolean | undefined; graceMs: number; nowMs: number },
): AppliedWorkPlan {
  if (applied.metadata.deletionTimestamp !== undefined) return { action: 'cleanUp' };
  const started = applied.status?.evictionStartTime;
  if (managed === undefined) return { action: 'wait', forMs: 500 };
  if (managed) return { action: started === undefined ? 'none' : 'stopEviction' };
  if (started === undefined) return { action: 'startEviction' };
  const forMs = Date.parse(started) + graceMs - nowMs;
  return forMs > 0 ? { action: 'wait', forMs } : { action: 'evict' };
}

/** An object that goes is asked for ever more rarely: most are gone in an instant, a stuck finalizer takes hours. */
export function nextCleanUpMs({ metadata }: AppliedManifestWork, nowMs: number): number {
  const ageMs = nowMs - Date.parse(metadata.deletionTimestamp ?? '');
  return Math.min(5000, Math.max(100, ageMs / 2));
}
