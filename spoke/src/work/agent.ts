import { appliedManifestWork, type ManifestWork, manifestWork, type Resource } from '@kmm-hub/api-types';
import {
  Controller,
  Discovery,
  type KubeClient,
  queueMetrics,
  Reflector,
  reconcileMetrics,
  startHealthServer,
} from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { reconcileAppliedWork } from './controllers/applied-manifest-work/reconcile.ts';
import { watchAppliedWorkKeys } from './controllers/applied-manifest-work/register.ts';
import type { Schedule } from './controllers/manifest-work/plan.ts';
import { reconcileWork } from './controllers/manifest-work/reconcile.ts';
import { watchAppliedWorks, watchWorks } from './controllers/manifest-work/register.ts';
import { hubHash as hashOf } from './hub-identity.ts';
import type { WorkAgentOptions } from './options.ts';
import { createRegistration, registrationControllers } from './registration/registration.ts';

export type AgentOptions = Omit<WorkAgentOptions, 'kubeconfig' | 'hubKubeconfig'> & {
  hub: KubeClient;
  spoke: KubeClient;
  registry: Registry;
  log: Logger;
};

/** Runs the agent of one cluster until aborted. A hub or spoke that does not answer is waited for; /readyz says why. */
export async function runWorkAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { registry } = options;
  const names = ['manifest-work', 'applied-manifest-work', ...(options.registration ? registrationControllers : [])];
  const shared = { ...options, metrics: reconcileMetrics(registry, names) };
  const parts = [createWork(shared), ...(options.registration ? [createRegistration(shared)] : [])];
  const controllers = parts.flatMap((part) => part.controllers);
  queueMetrics(registry, controllers);
  await serveHealth({ ...options, problems: () => parts.flatMap((part) => part.problems()) }, signal);
  await Promise.all(parts.map((part) => part.run(signal)));
}

type WorkOptions = AgentOptions & { metrics: ReturnType<typeof reconcileMetrics> };

function createWork(options: WorkOptions) {
  const { hub, spoke, clusterName, statusSyncIntervalMs, evictionGraceMs, metrics, log } = options;
  const hubHash = hashOf(hub.server);
  const identity = { hubHash, agentId: options.agentId ?? hubHash };
  const schedules = new Map<string, Schedule>();
  const now = () => new Date();
  const worksOnHub = new Reflector({
    client: hub,
    resource: manifestWork as Resource<ManifestWork>,
    select: { namespace: clusterName },
    trim: (work) => ({ ...work, spec: work.spec ?? {} }), // the CRD lets a work be without one
    log,
  });
  const appliedOnSpoke = new Reflector({ client: spoke, resource: appliedManifestWork, log });
  const caches = { works: worksOnHub.cache, applied: appliedOnSpoke.cache };
  const discovery = new Discovery(spoke);
  const deps = { hub, spoke, discovery, clusterName, identity, schedules, statusSyncIntervalMs, evictionGraceMs };
  const seams = { ...deps, ...caches, now, log };
  const work = new Controller({
    name: 'manifest-work',
    reconcile: (key, signal) => reconcileWork(seams, key, signal),
    ...{ log, metrics },
  });
  const applied = new Controller({
    name: 'applied-manifest-work',
    reconcile: (key, signal) => reconcileAppliedWork(seams, key, signal),
    ...{ log, metrics },
  });
  watchWorks(caches.works, work.queue);
  watchAppliedWorks(caches.applied, work.queue, seams);
  watchAppliedWorkKeys(caches, applied.queue, hubHash);
  const parts = [worksOnHub, appliedOnSpoke, work, applied];
  return {
    controllers: [work, applied],
    problems: () => [worksOnHub, appliedOnSpoke].flatMap(({ problem }) => problem ?? []),
    run: async (signal: AbortSignal) => void (await Promise.all(parts.map((part) => part.run(signal)))),
  };
}

async function serveHealth(
  options: { healthPort: number; problems: () => string[]; registry: Registry; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { healthPort, problems, registry, log } = options;
  const port = await startHealthServer({ port: healthPort, problems, registry }, signal);
  if (port !== 0) log.info({ port }, 'health server listens');
}
