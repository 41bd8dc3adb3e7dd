import type { ModuleImage, ModuleImageSpec, ModuleImageStatus } from '@kmm-hub/api-types';
import type { ImageResult } from '@kmm-hub/queue/client';

export type ImageInput = {
  /** The object; undefined when there is none. */
  image?: ModuleImage;
  /** The recipe that is wanted; undefined when nobody wants the image any more. */
  wanted?: ModuleImageSpec;
  /** How the last job ended, when that is news. */
  result?: ImageResult;
  /** The step that the running job is in. */
  step?: ModuleImageStatus['phase'];
  now: Date;
};

export type ImagePlan =
  | { action: 'none' }
  | { action: 'create'; spec: ModuleImageSpec }
  | { action: 'update'; spec: ModuleImageSpec }
  | { action: 'delete' }
  | { action: 'status'; status: ModuleImageStatus; reason: string; message: string }
  | { action: 'job' }
  | { action: 'wait'; forMs: number };

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;

/**
 * What to do with one ModuleImage. Pure.
 * 1. Nobody wants it: delete. 2. Not there: create. 3. Another recipe: update. 4. A job ended: record how.
 * 5. Settled for this recipe: nothing. 6. Failed: wait for the next attempt. 7. Otherwise a job must be in flight.
 */
export function planImage({ image, wanted, result, step, now }: ImageInput): ImagePlan {
  if (wanted === undefined) return { action: image === undefined ? 'none' : 'delete' };
  if (image === undefined) return { action: 'create', spec: wanted };
  if (image.spec.recipeKey !== wanted.recipeKey) return { action: 'update', spec: wanted };
  if (result !== undefined && result.outcome !== 'Stale') return afterResult(image, result, now);
  return whileUnsettled(image, step, now);
}

function whileUnsettled(image: ModuleImage, step: ImageInput['step'], now: Date): ImagePlan {
  const { status } = image;
  const current = status?.recipeKey === image.spec.recipeKey;
  if (current && status?.phase === 'Published') return { action: 'none' };
  if (current && (status?.phase === 'Failed' || status?.phase === 'Missing')) {
    const forMs = Date.parse(status.nextAttempt ?? '') - now.getTime();
    if (forMs > 0) return { action: 'wait', forMs };
  }
  if (step !== undefined && status?.phase !== step) return running(image, step);
  return { action: 'job' };
}

function running(image: ModuleImage, phase: ModuleImageStatus['phase']): ImagePlan {
  const { phase: _phase, nextAttempt: _next, ...kept } = image.status ?? { phase };
  const status: ModuleImageStatus = { ...kept, phase, recipeKey: image.spec.recipeKey };
  return { action: 'status', status, reason: phase, message: `a worker has it: ${phase}` };
}

function afterResult(image: ModuleImage, result: Exclude<ImageResult, { outcome: 'Stale' }>, now: Date): ImagePlan {
  const { builds = 0, failures = 0 } = image.status ?? {};
  const base = { recipeKey: image.spec.recipeKey, observedGeneration: image.metadata.generation ?? 0 };
  if (result.outcome === 'Published') {
    const { digest, reused, built, contentKey, signedFiles } = result;
    const status: ModuleImageStatus = {
      ...base,
      phase: 'Published',
      digest,
      reused,
      builds: builds + (built ? 1 : 0),
      ...(contentKey !== undefined && { contentKey }),
      ...(signedFiles !== undefined && { signedFiles }),
    };
    const message = `${image.spec.image} is ${digest}${reused ? '; it was in the registry' : ''}`;
    return { action: 'status', status, reason: 'Published', message };
  }
  const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
  const status: ModuleImageStatus = {
    ...base,
    phase: result.outcome,
    failures: failures + 1,
    builds,
    nextAttempt: new Date(now.getTime() + delayMs).toISOString(),
  };
  return { action: 'status', status, reason: result.reason, message: result.message };
}
