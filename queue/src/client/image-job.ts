/** The one queue: a job is one ModuleImage that is not settled. */
export const IMAGE_QUEUE = 'module-images';
/** Braces keep all keys of the queue on one node of a Redis Cluster. */
export const QUEUE_PREFIX = '{kmm-hub}';

/**
 * All that Redis holds of an image. The worker reads recipe, ConfigMap and Secrets from the API server, so that whoever
 * can write to Redis can neither read a secret nor have something else built.
 */
export type ImageJob = {
  /** Name of the ModuleImage; also the id of the job, so that adding it twice is one job. */
  name: string;
  uid: string;
  generation: number;
};

export const IMAGE_STEPS = ['Looking', 'Building', 'Signing', 'Publishing'] as const;
export type ImageStep = (typeof IMAGE_STEPS)[number];

/**
 * How a job ended. Only these words travel; what a person should know beyond them is in the log of the job. `recipeKey` is
 * of the recipe that the worker worked by: the hub may have changed it meanwhile. Undefined: the worker never read one.
 */
export type ImageResult =
  | {
      outcome: 'Published';
      recipeKey: string;
      digest: string;
      /** True when the image was in the registry already. */
      reused: boolean;
      /** True when buildah ran. */
      built: boolean;
      contentKey?: string;
      signedFiles?: { path: string; sha256: string }[];
    }
  | { outcome: 'Missing'; recipeKey: string; reason: string; message: string }
  | { outcome: 'Failed'; recipeKey?: string; reason: string; message: string; retry: 'backoff' | 'never' }
  /** The ModuleImage is gone, or its ConfigMap is no longer the one of the recipe: the hub decides anew. */
  | { outcome: 'Stale' };

/** What came back from Redis, if it is a result: anybody who can write to Redis can send anything. */
export function readResult(value: unknown): ImageResult | undefined {
  if (!isRecord(value)) return undefined;
  const hasTexts = (...fields: string[]) => fields.every((field) => typeof value[field] === 'string');
  const isResult =
    value.outcome === 'Stale' ||
    (value.outcome === 'Failed' && hasTexts('reason', 'message')) ||
    (value.outcome === 'Missing' && hasTexts('recipeKey', 'reason', 'message')) ||
    (value.outcome === 'Published' && hasTexts('recipeKey') && /^sha256:[0-9a-f]{64}$/.test(String(value.digest)));
  return isResult ? (value as ImageResult) : undefined;
}

/** The step that a job's progress tells, as `readResult` does. */
export function readStep(progress: unknown): ImageStep | undefined {
  return isRecord(progress) ? IMAGE_STEPS.find((step) => step === progress.step) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
