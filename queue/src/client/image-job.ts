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

/** How a job ended. Only these words travel; what a person should know beyond them is in the log of the job. */
export type ImageResult =
  | {
      outcome: 'Published';
      generation: number;
      digest: string;
      /** True when the image was in the registry already. */
      reused: boolean;
      /** True when buildah ran. */
      built: boolean;
      contentKey?: string;
      signedFiles?: { path: string; sha256: string }[];
    }
  | { outcome: 'Missing'; generation: number; reason: string; message: string }
  | { outcome: 'Failed'; generation: number; reason: string; message: string; retry: 'backoff' | 'never' }
  /** The ModuleImage is gone, or its ConfigMap is no longer the one of the recipe: the hub decides anew. */
  | { outcome: 'Stale'; generation: number };
