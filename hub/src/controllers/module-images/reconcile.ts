import {
  type Condition,
  type ModuleImage,
  type ModuleImageStatus,
  moduleImage,
  type Resource,
} from '@kmm-hub/api-types';
import { ConflictError, type EventRecorder, type KubeClient, type ReconcileResult, setConditions } from '@kmm-hub/kube';
import type { ImageQueue } from '@kmm-hub/queue/client';
import type { Logger } from 'pino';
import type { Demand } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { JobNews } from './job-news.ts';
import { type ImagePlan, planImage } from './plan.ts';

export type ModuleImageDeps = {
  client: KubeClient;
  fleet: Fleet;
  demand: Demand;
  queue: ImageQueue;
  news: JobNews;
  /** Image → the version over which its status was written last; until the cache moves on, it is not to be decided by. */
  writtenOver: Map<string, string>;
  events: EventRecorder;
  log: Logger;
};

const images = moduleImage as Resource<ModuleImage>;
/** A job whose event was lost (Redis emptied, hub restarted) is added again after this long; a live one is not touched. */
const LOOK_AGAIN_MS = 15_000;

/** `key` is the name of a ModuleImage. The hub alone writes these objects; the worker only reads them. */
export async function reconcileImage(
  deps: ModuleImageDeps,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { fleet, demand, news, writtenOver } = deps;
  const image = fleet.images.get(key);
  const written = writtenOver.get(key);
  if (written !== undefined) {
    if (image?.metadata.resourceVersion === written) return undefined; // the event of our write brings the key back
    writtenOver.delete(key);
  }
  const told = news.of(key);
  const { result, step } = told ?? {};
  const wanted = demand.recipeFor(key)?.recipe.spec;
  const now = new Date();
  const plan = planImage({
    now,
    ...(image && { image }),
    ...(wanted && { wanted }),
    ...(result && { result }),
    ...(step && { step }),
  });
  const requeue = await carryOut(deps, { key, image, plan }, signal);
  news.settle(key, told);
  return requeue;
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
  if (plan.action !== 'job') return undefined;
  await addJob(deps, image, signal);
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

async function remove({ client, queue }: ModuleImageDeps, image: ModuleImage, signal: AbortSignal): Promise<void> {
  const { name, uid } = image.metadata;
  await queue.remove(name, signal);
  await client.delete(images, { name, ...(uid && { uid }) }, signal);
}

/** What most clusters wait for is first in the queue; a kernel of one cluster comes last. */
async function addJob(
  { demand, queue }: ModuleImageDeps,
  { metadata }: ModuleImage,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid = '', generation = 0 } = metadata;
  await queue.add({ name, uid, generation }, { weight: demand.weightOf(name) }, signal);
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
