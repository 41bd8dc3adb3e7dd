import {
  explain,
  HubError,
  type ManagedClusterModule,
  type ManifestWork,
  manifestWork,
  type Resource,
} from '@kmm-hub/api-types';
import { ConflictError, type KubeClient, type ReconcileResult } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { Demand } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { canonical } from '../../fleet/recipe.ts';
import { ForeignWorkError, WorkTooLargeError } from './errors.ts';
import { imageStates } from './image-states.ts';
import { MAX_WORK_BYTES, manifestWorkFor } from './manifest-work.ts';
import { type Outcome, planWork, problemFrom, type Waiting, type WorkInput, type WorkPlan } from './plan.ts';
import { literalsOf, moduleOfWork, sameWork } from './stored-work.ts';

export type ClusterWorkDeps = {
  client: KubeClient;
  fleet: Fleet;
  demand: Demand;
  /** What was found of every selected cluster, by key; read by the module's status. */
  outcomes: Outcomes;
  /** Tells the module's status that something changed on the cluster. */
  changed: (module: string, cluster: string) => void;
  log: Logger;
};

/** Key → what is to be told of the cluster; no entry when nobody looked yet, or the module does not select it. */
export type Outcomes = Map<string, Outcome>;

const works = manifestWork as Resource<ManifestWork>;

type WorkRef = { module: string; cluster: string };

/** `module/cluster`, the key of one module on one cluster. */
export const workKey = (module: string, cluster: string) => `${module}/${cluster}`;

/** `key` is one module on one cluster: an event touches the keys it concerns, never the whole fleet. */
export async function reconcileWork(deps: ClusterWorkDeps, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const [module = '', cluster = ''] = key.split('/', 2);
  try {
    note(deps, key, await settle(deps, { module, cluster }, signal));
  } catch (err) {
    // a conflict only means that the cache was old, an abort that we stop; all else reaches the module's status
    if (!(err instanceof ConflictError) && !signal.aborted) note(deps, key, { waiting: waitingFor(err) });
    throw err;
  }
  return undefined;
}

function waitingFor(err: unknown): Waiting {
  if (err instanceof HubError) return { ...problemFrom(err), pending: err.retry === 'backoff' };
  return { reason: 'InternalError', message: `a mistake in the hub: ${explain(err)}; see its log`, pending: false };
}

/** Brings the work of one cluster to where it should be. */
async function settle(
  deps: ClusterWorkDeps,
  { module, cluster }: WorkRef,
  signal: AbortSignal,
): Promise<Outcome | 'gone'> {
  const { client, fleet, log } = deps;
  const owner = fleet.modules.get(module);
  const work = fleet.workOf(module, cluster);
  const selection = owner === undefined ? 'deselected' : fleet.selectionOf(owner, cluster);
  if (selection === 'unknown') return 'gone'; // nothing new, and what is there stays: unloading is by deselection alone
  const plan: WorkPlan = owner === undefined ? { action: 'delete' } : planWork(inputFor(deps, owner, cluster));
  if (plan.action === 'delete' || owner === undefined) {
    if (work !== undefined) await deleteWork(deps, work, signal);
    return 'gone';
  }
  if (plan.action === 'hold') return outcomeOf(plan);
  const written = await applyWork(client, { wanted: manifestWorkFor(owner, cluster, plan.literals), work }, signal);
  if (written) log.info({ module, cluster, kernels: [...plan.literals.keys()] }, 'work written');
  return outcomeOf(plan);
}

/** What decides about the work, from the caches. */
function inputFor(deps: ClusterWorkDeps, owner: ManagedClusterModule, cluster: string): WorkInput {
  const { fleet } = deps;
  const work = fleet.workOf(owner.metadata.name, cluster);
  const problem = fleet.problemOf(owner, cluster);
  return {
    selected: fleet.selects(owner, cluster),
    ...(problem && { problem: problemFrom(problem) }),
    loadsModule: owner.spec.moduleSpec?.moduleLoader !== undefined,
    ...imageStates(deps, owner, cluster),
    left: fleet.kernelsOf(cluster).left,
    ...(work && { current: literalsOf(work) }),
  };
}

function outcomeOf({ waiting, uncovered }: Outcome): Outcome {
  return { ...(waiting && { waiting }), ...(uncovered && { uncovered }) };
}

function note({ outcomes, changed }: ClusterWorkDeps, key: string, outcome: Outcome | 'gone'): void {
  const before = outcomes.get(key) ?? 'gone';
  if (outcome === 'gone') outcomes.delete(key);
  else outcomes.set(key, outcome);
  const [module = '', cluster = ''] = key.split('/', 2);
  if (canonical(before) !== canonical(outcome)) changed(module, cluster);
}

async function deleteWork({ client, log }: ClusterWorkDeps, work: ManifestWork, signal: AbortSignal): Promise<void> {
  if (work.metadata.deletionTimestamp !== undefined) return;
  const { name, namespace = '', uid = '' } = work.metadata;
  await client.delete(works, { namespace, name, uid }, signal);
  log.info({ module: name, cluster: namespace }, 'work deleted');
}

/** Creates or replaces the work when it differs; one write. True when it was written. */
async function applyWork(
  client: KubeClient,
  { wanted, work }: { wanted: ManifestWork; work: ManifestWork | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  const size = Buffer.byteLength(JSON.stringify(wanted.spec.workload));
  if (size > MAX_WORK_BYTES) throw new WorkTooLargeError(wanted.metadata, size);
  if (work === undefined) {
    const created = await client.createIfAbsent(works, wanted, signal);
    if (created === undefined) await refuseForeign(client, wanted, signal);
    return created !== undefined;
  }
  if (work.metadata.deletionTimestamp !== undefined) return false;
  if (sameWork(wanted, work)) return false;
  const metadata = {
    ...work.metadata,
    labels: { ...work.metadata.labels, ...wanted.metadata.labels },
    annotations: { ...work.metadata.annotations, ...wanted.metadata.annotations },
    ownerReferences: wanted.metadata.ownerReferences ?? [],
  };
  await client.replace(works, { object: { ...work, metadata, spec: wanted.spec } }, signal);
  return true;
}

/** A work of our label is only missing from the cache yet; any other is, or was a moment ago, somebody else's (W10). */
async function refuseForeign(client: KubeClient, wanted: ManifestWork, signal: AbortSignal): Promise<void> {
  const { namespace = '', name } = wanted.metadata;
  const live = await client.getIfPresent(works, { namespace, name }, signal);
  if (live === undefined || moduleOfWork(live) !== name) throw new ForeignWorkError(wanted.metadata);
}
