import { explain, HubError } from '@kmm-hub/api-types';
import {
  ImageNotFoundError,
  ImageRefusedError,
  type MirrorRule,
  type ProxyOptions,
  RegistryBlockedError,
  RegistryRefusedError,
} from '@kmm-hub/oci';
import type { Logger } from 'pino';
import type { ImageJob, ImageStep } from '../client/image-job.ts';
import type { ImageResult } from '../client/image-result.ts';
import type { Executor } from '../executors/executor.ts';
import { ImageMissingError } from './errors.ts';
import { failureWords } from './failure-words.ts';
import { type InputSource, readImage, readJobInputs } from './job-inputs.ts';
import { makeImage } from './make-image.ts';
import { registryFor } from './registry-access.ts';
import type { RegistryHealth } from './registry-health.ts';

export type WorkerDeps = InputSource & {
  executor: Executor;
  /** Builds work in folders below it. */
  workFolder: string;
  buildTimeoutMs: number;
  /** Where registries are mirrored; read anew for each job. */
  mirrors?: () => Promise<MirrorRule[]>;
  /** For registries; by HTTP(S)_PROXY and NO_PROXY. */
  proxy?: ProxyOptions | undefined;
  /** Told of each registry that a job looked at. */
  registries: RegistryHealth;
  log: Logger;
};

/** What a running job tells: the step it is in, and lines for its log. */
export type JobProgress = {
  step: (step: ImageStep) => Promise<void>;
  line: (text: string) => void;
};

/**
 * One job, one worker: look, build, sign, publish. Safe to run twice: what is in the registry already ends the job. What can
 * be expected to go wrong is an answer, not an exception; the hub decides when to try again.
 */
export async function processImage(
  deps: WorkerDeps,
  { job, progress }: { job: ImageJob; progress: JobProgress },
  signal: AbortSignal,
): Promise<ImageResult> {
  let recipeKey: string | undefined;
  try {
    const image = await readImage(deps, job, signal);
    recipeKey = image?.spec.recipeKey;
    const inputs = image && (await readJobInputs(deps, image, signal));
    if (inputs === undefined) return { outcome: 'Stale' };
    const registry = registryFor(inputs, { proxy: deps.proxy, mirrors: (await deps.mirrors?.()) ?? [] });
    try {
      return await makeImage({ deps, inputs, registry, progress, signal });
    } finally {
      await registry.close();
    }
  } catch (err) {
    if (signal.aborted || !(err instanceof HubError)) throw err;
    deps.log.warn({ job: job.name, code: err.code, err: explain(err) }, 'image failed');
    progress.line(`${err.code}: ${explain(err)}`);
    return failure(err, recipeKey);
  }
}

function failure(err: HubError, recipeKey: string | undefined): ImageResult {
  if (err instanceof ImageMissingError && recipeKey) return { outcome: 'Missing', recipeKey, ...failureWords(err) };
  return { outcome: 'Failed', ...(recipeKey && { recipeKey }), retry: retryOf(err), ...failureWords(err) };
}

/**
 * `never` waits for a change of recipe, Dockerfile or Secrets, which somebody watches. What a registry holds or refuses
 * changes without anybody telling: a quota is lifted, a base image pushed.
 */
function retryOf(err: HubError): HubError['retry'] {
  const kinds = [RegistryRefusedError, RegistryBlockedError, ImageNotFoundError, ImageRefusedError];
  return kinds.some((kind) => err instanceof kind) ? 'backoff' : err.retry;
}
