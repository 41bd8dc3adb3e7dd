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
  /** True when a Secret of the recipe changed since the last job read it, or may have. */
  hinted?: boolean;
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
/** Longer than a watch takes to tell, short for a person. */
const STALE_RETRY_MS = 1_000;

const PROGRESS: Partial<Record<ModuleImageStatus['phase'], string>> = {
  Pending: 'a worker looks for it in its registry',
  Building: 'a worker builds it',
  Signing: 'a worker signs and publishes it',
};

type Ended = Exclude<ImageResult, { outcome: 'Stale' }>;

/**
 * What to do with one ModuleImage. Pure.
 * 1. Nobody wants it: delete. 2. Not there: create. 3. Another recipe: update. 4. A job for this recipe ended: record how.
 * 5. Settled for this recipe: nothing, unless a Secret changed and the image is to follow its inputs. 6. The worker and we
 * saw different versions of an input: wait a moment for the caches. 7. Failed: wait for the next attempt, which a changed
 * Secret brings at once. 8. Otherwise a job must be in flight.
 */
export function planImage({ image, wanted, result, step, hinted = false, now }: ImageInput): ImagePlan {
  if (wanted === undefined) return { action: image === undefined ? 'none' : 'delete' };
  if (image === undefined) return { action: 'create', spec: wanted };
  if (image.spec.recipeKey !== wanted.recipeKey) return { action: 'update', spec: wanted };
  if (result !== undefined && result.outcome !== 'Stale' && isFor(image, result))
    return afterResult(image, result, { hinted, now });
  const status = currentStatus(image);
  if (status?.phase === 'Published') {
    return { action: hinted && image.spec.rebuildPolicy === 'OnInputChange' ? 'job' : 'none' };
  }
  if (result?.outcome === 'Stale') return { action: 'wait', forMs: STALE_RETRY_MS };
  return whileUnsettled(image, { status, step, hinted, now });
}

/** A job that began before the recipe changed says nothing about the new one. */
function isFor(image: ModuleImage, { recipeKey }: Ended): boolean {
  return recipeKey === undefined || recipeKey === image.spec.recipeKey;
}

/** The status as far as it is of the present recipe. */
function currentStatus({ spec, status }: ModuleImage): ModuleImageStatus | undefined {
  return status?.recipeKey === spec.recipeKey ? status : undefined;
}

type Unsettled = { status: ModuleImageStatus | undefined; step: ImageInput['step']; hinted: boolean; now: Date };

function whileUnsettled(image: ModuleImage, { status, step, hinted, now }: Unsettled): ImagePlan {
  if (status?.phase === 'Failed' || status?.phase === 'Missing') {
    const forMs = Date.parse(status.nextAttempt ?? '') - now.getTime();
    // the reason stays while it is tried again: a status that goes to and fro tells a person nothing
    return forMs > 0 && !hinted ? { action: 'wait', forMs } : { action: 'job' };
  }
  if (step !== undefined && status?.phase !== step) return running(image, step);
  return { action: 'job' };
}

function running(image: ModuleImage, phase: ModuleImageStatus['phase']): ImagePlan {
  const { phase: _phase, nextAttempt: _next, ...kept } = image.status ?? { phase };
  const status: ModuleImageStatus = { ...kept, phase, recipeKey: image.spec.recipeKey };
  return { action: 'status', status, reason: phase, message: PROGRESS[phase] ?? `a worker has it: ${phase}` };
}

function afterResult(image: ModuleImage, result: Ended, { hinted, now }: Pick<Unsettled, 'hinted' | 'now'>): ImagePlan {
  const base = { recipeKey: image.spec.recipeKey, observedGeneration: image.metadata.generation ?? 0 };
  if (result.outcome === 'Published') return afterSuccess(image, result, base);
  const { builds = 0 } = image.status ?? {};
  const failures = currentStatus(image)?.failures ?? 0;
  const backoffMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
  // a compiler does not change its mind, yet nothing stays failed until somebody deletes it (W26)
  const delayMs = result.outcome === 'Failed' && result.retry === 'never' ? MAX_RETRY_MS : backoffMs;
  const status: ModuleImageStatus = {
    ...base,
    phase: result.outcome,
    failures: failures + 1,
    builds,
    nextAttempt: new Date(now.getTime() + (hinted ? 0 : delayMs)).toISOString(),
  };
  return { action: 'status', status, reason: result.reason, message: result.message };
}

type Base = Pick<ModuleImageStatus, 'recipeKey' | 'observedGeneration'>;

/** An image that is looked at once more, and is as it was, keeps its history. */
function afterSuccess(image: ModuleImage, result: Extract<Ended, { outcome: 'Published' }>, base: Base): ImagePlan {
  const { digest, origin, built, contentKey, signedFiles } = result;
  const { builds = 0 } = image.status ?? {};
  const known = currentStatus(image);
  if (known?.phase === 'Published' && known.digest === digest && origin !== 'Made') return { action: 'none' };
  const ran = built ? 1 : 0;
  const status: ModuleImageStatus = {
    ...base,
    phase: 'Published',
    digest,
    reused: origin === 'Taken',
    builds: origin === 'Recovered' ? Math.max(builds, ran) : builds + ran, // its answer may have been counted before
    ...(contentKey !== undefined && { contentKey }),
    ...(signedFiles !== undefined && { signedFiles }),
  };
  const message = `${image.spec.image} is ${digest}${origin === 'Taken' ? '; it was in the registry' : ''}`;
  return { action: 'status', status, reason: 'Published', message };
}
