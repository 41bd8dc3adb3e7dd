import {
  type Condition,
  type ModuleImage,
  type ModuleImageStatus,
  moduleImage,
  type Resource,
} from '@kmm-hub/api-types';
import { ConflictError, type EventRecorder, type KubeClient, type ReconcileResult, setConditions } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { Demand } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { WantedJobs } from '../image-jobs/wanted-jobs.ts';
import type { JobNews } from './job-news.ts';
import { type ImagePlan, planImage } from './plan.ts';

export type ModuleImageDeps = {
  client: KubeClient;
  fleet: Fleet;
  demand: Demand;
  /** Told of every image that needs a job. */
  jobs: Pick<WantedJobs, 'want' | 'forget'>;
  news: JobNews;
  /** Image → the version over which its status was written last; until the cache moves on, it is not to be decided by. */
  writtenOver: Map<string, string>;
  events: EventRecorder;
  log: Logger;
};

const images = moduleImage as Resource<ModuleImage>;

/** `key` is the name of a ModuleImage. The hub alone writes these objects; the worker only reads them. */
export async function reconcileImage(
  deps: ModuleImageDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { fleet, demand, jobs, news, writtenOver } = deps;
  const image = fleet.images.get(key);
  const written = writtenOver.get(key);
  if (written !== undefined) {
    if (image?.metadata.resourceVersion === written) return undefined; // the event of our write brings the key back
    writtenOver.delete(key);
  }
  const told = news.take(key);
  try {
    const wanted = demand.recipeFor(key)?.recipe.spec;
    const plan = planImage({ now: new Date(), ...told, ...(image && { image }), ...(wanted && { wanted }) });
    if (plan.action === 'job') jobs.want(key);
    if (wanted === undefined) jobs.forget(key);
    return await carryOut(deps, { key, image, plan }, signal);
  } catch (err) {
    news.giveBack(key, told);
    throw err;
  }
}

async function carryOut(
  deps: ModuleImageDeps,
  { key, image, plan }: { key: string; image: ModuleImage | undefined; plan: ImagePlan },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, log } = deps;
  if (plan.action === 'wait') return { requeueAfterMs: plan.forMs };
  if (plan.action === 'create') {
    await client.createIfAbsent(images, { metadata: { name: key }, spec: plan.spec }, signal);
    log.info({ image: plan.spec.image, kernelVersion: plan.spec.kernelVersion }, 'module image wanted');
  }
  if (image === undefined) return undefined;
  if (plan.action === 'update') await replaceIfCurrent(deps, { ...image, spec: plan.spec }, signal);
  if (plan.action === 'delete') await remove(deps, image, signal);
  if (plan.action === 'status') await writeStatus(deps, { image, ...plan }, signal);
  return undefined;
}

/** A job of it that waits is taken out when the object is gone; one that runs finds that out itself. */
async function remove({ client }: ModuleImageDeps, image: ModuleImage, signal: AbortSignal): Promise<void> {
  const { name, uid } = image.metadata;
  await client.delete(images, { name, ...(uid && { uid }) }, signal);
}

/** A conflict means that the cache is old; the event that makes it new brings the key back. */
async function replaceIfCurrent({ client }: ModuleImageDeps, object: ModuleImage, signal: AbortSignal): Promise<void> {
  try {
    await client.replace(images, { object }, signal);
  } catch (err) {
    if (!(err instanceof ConflictError)) throw err;
  }
}

async function writeStatus(
  { client, events, writtenOver, log }: ModuleImageDeps,
  plan: { image: ModuleImage; status: ModuleImageStatus; reason: string; message: string },
  signal: AbortSignal,
): Promise<void> {
  const { image, status, reason, message } = plan;
  const ready: Omit<Condition, 'lastTransitionTime'> = {
    type: 'Ready',
    status: status.phase === 'Published' ? 'True' : 'False',
    reason,
    message,
    observedGeneration: image.metadata.generation ?? 0,
  };
  const conditions = setConditions(image.status?.conditions, [ready], new Date());
  const object: ModuleImage = { ...image, status: { ...status, conditions } };
  const written = await client.replace(images, { object, subresource: 'status' }, signal);
  const { name, resourceVersion } = image.metadata;
  // a write that changed nothing has no event
  if (resourceVersion && written.metadata.resourceVersion !== resourceVersion) writtenOver.set(name, resourceVersion);
  log.info({ image: image.spec.image, phase: status.phase, reason, digest: status.digest }, 'module image changed');
  if (status.phase === 'Published' || status.phase === 'Failed' || status.phase === 'Missing') {
    const type = status.phase === 'Published' ? 'Normal' : 'Warning';
    await events.record({ resource: moduleImage, object: image, type, reason, message }, signal);
  }
}
