import type { ReconcileResult } from '@kmm-hub/kube';
import type { ImageQueue } from '@kmm-hub/queue/client';
import type { Logger } from 'pino';
import type { Demand } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { type Candidate, type Chosen, type JobsPlan, LOOK_AGAIN_MS, planJobs } from './plan.ts';
import { Turns } from './turns.ts';
import type { WantedJob, WantedJobs } from './wanted-jobs.ts';

export type ImageJobsDeps = {
  fleet: Pick<Fleet, 'images' | 'modules'>;
  demand: Pick<Demand, 'wanters' | 'weightOf'>;
  queue: Pick<ImageQueue, 'jobs' | 'concurrency' | 'add' | 'remove' | 'setPriority'>;
  jobs: WantedJobs;
  log: Logger;
};

/** The controller's only key: what is in Redis is decided as a whole. */
export const JOBS_KEY = 'jobs';

/** Keeps in Redis the jobs that are to be there. @throws QueueUnreachableError */
export function jobsReconciler(deps: ImageJobsDeps): (key: string, signal: AbortSignal) => Promise<ReconcileResult> {
  let served: ReadonlyMap<string, number> = new Map(); // forgotten with the process: it only says who of equals comes first
  return async (_key, signal) => {
    const { fleet, queue, jobs } = deps;
    const [queued, concurrency] = await Promise.all([queue.jobs(signal), queue.concurrency(signal)]);
    for (const { name } of queued) jobs.seen(name);
    const wanted = jobs.list().map((job) => candidateOf(deps, job));
    const exists = (name: string) => fleet.images.get(name) !== undefined;
    const plan = planJobs({ wanted, queued, exists, concurrency, served, nowMs: performance.now() });
    const turns = new Turns(served);
    await carryOut(deps, { plan, turns }, signal);
    served = turns.last((module) => fleet.modules.get(module) !== undefined);
    return wanted.length > 0 ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
  };
}

async function carryOut(
  deps: ImageJobsDeps,
  { plan, turns }: { plan: JobsPlan; turns: Turns },
  signal: AbortSignal,
): Promise<void> {
  const { queue } = deps;
  for (const name of plan.remove) await queue.remove(name, signal);
  for (const { name, priority } of plan.move) await queue.setPriority(name, priority, signal);
  for (const chosen of plan.add) {
    if (await addJob(deps, chosen, signal)) turns.chosen(chosen.modules);
  }
}

function candidateOf({ fleet, demand }: ImageJobsDeps, job: WantedJob): Candidate {
  const { build, sign } = fleet.images.get(job.name)?.spec ?? {};
  return {
    ...job,
    modules: demand.wanters(job.name).sort(),
    clusters: demand.weightOf(job.name),
    onlyLook: build === undefined && sign === undefined,
  };
}

/** False when its result, or its end, came meanwhile. */
async function addJob(
  { fleet, queue, jobs, log }: ImageJobsDeps,
  { name, priority }: Chosen,
  signal: AbortSignal,
): Promise<boolean> {
  const metadata = fleet.images.get(name)?.metadata;
  if (metadata === undefined || !jobs.has(name)) return false;
  const { uid = '', generation = 0 } = metadata;
  await queue.add({ name, uid, generation }, { priority }, signal);
  jobs.seen(name);
  log.debug({ image: name, priority }, 'job added');
  return true;
}
