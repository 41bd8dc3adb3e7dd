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

/**
 * Which waiting job a worker takes first; within one, the one that came first. `first`: looks, which are short, and what has
 * waited too long. `last`: what one cluster alone waits for.
 */
export const jobPriorities = { first: 1, normal: 2, last: 3 } as const;
export type JobPriority = (typeof jobPriorities)[keyof typeof jobPriorities];

/** A worker's name in Redis says how many jobs it works on at once, so that the hub knows how many to keep queued. */
export const workerName = (concurrency: number) => `at-once-${concurrency}`;

/** As `workerName` wrote it, from a name of Redis' client list; 0 for any other name. */
export function concurrencyOf(clientName: string): number {
  return Number(/:at-once-(\d{1,3})$/.exec(clientName)?.[1] ?? 0);
}

export const IMAGE_STEPS = ['Looking', 'Building', 'Signing', 'Publishing'] as const;
export type ImageStep = (typeof IMAGE_STEPS)[number];

/**
 * The event by which a worker tells that an input of an image changed which only workers may read. It carries the name of
 * the ModuleImage and nothing else.
 */
export const HINT_EVENT = 'hint';

/** The step that a job's progress tells, if it tells one: anybody who can write to Redis can send anything. */
export function readStep(progress: unknown): ImageStep | undefined {
  const { step } = typeof progress === 'object' && progress !== null ? (progress as { step?: unknown }) : {};
  return IMAGE_STEPS.find((known) => known === step);
}
