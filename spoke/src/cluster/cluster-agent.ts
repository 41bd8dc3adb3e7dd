import {
  type Controller,
  type Election,
  EventRecorder,
  type KubeClient,
  type metricsRegistry,
  queueMetrics,
  reconcileMetrics,
  startHealthServer,
} from '@kmm-hub/kube';
import type { Logger } from 'pino';
import { type ClusterCaches, clusterCaches } from './caches.ts';
import { clusterInventoryController } from './controllers/cluster-inventory/register.ts';
import { kernelClaimController } from './controllers/kernel-claim/register.ts';
import { moduleController } from './controllers/module/register.ts';
import { moduleNamespaceController } from './controllers/module-namespace/register.ts';
import { DroppedLabels } from './controllers/node-features/dropped-labels.ts';
import { nodeFeaturesController } from './controllers/node-features/register.ts';
import { nodeModulesController } from './controllers/node-modules/register.ts';
import { clusterDefaults, FIELD_MANAGER } from './defaults.ts';
import { askedPermissions } from './module-permissions.ts';
import { type ControllerRun, runControllers } from './runtime.ts';

export type ClusterAgent = {
  /** Both have the fence of `election`. */
  spoke: KubeClient;
  hub: KubeClient;
  election: Election;
  registry: ReturnType<typeof metricsRegistry>;
  clusterName: string;
  namespace: string;
  healthPort: number;
  log: Logger;
};

/**
 * Follows one cluster until aborted, and runs its controllers while this instance leads. API servers that do not answer
 * are waited for; /readyz says so. @throws LeadershipLostError
 */
export async function runClusterAgent(agent: ClusterAgent, signal: AbortSignal): Promise<void> {
  const { spoke, hub, election, registry, clusterName, namespace, log } = agent;
  const caches = clusterCaches({ spoke, hub, clusterName, agentNamespace: namespace, log });
  const problems = () => Object.values(caches).flatMap(({ problem }) => problem ?? []);
  const probes = { problems, role: () => election.role };
  const port = await startHealthServer({ port: agent.healthPort, ...probes, registry }, signal);
  log.info({ cluster: clusterName, spoke: spoke.server, hub: hub.server, healthPort: port }, 'cluster agent started');
  const ended = new AbortController();
  const limit = AbortSignal.any([signal, ended.signal]);
  const following = Object.values(caches).map((reflector) => reflector.run(limit));
  try {
    await election.run((term) => runControllers(registerControllers(agent, caches), term), signal);
  } finally {
    ended.abort();
    await Promise.all(following);
  }
}

/** To be called by the leader: from here on every change of a cache fills the queues. */
function registerControllers(
  { spoke, hub, registry, clusterName, namespace, log }: ClusterAgent,
  caches: ClusterCaches,
): ControllerRun[] {
  const { nodes, modules, configs, features, topologies, claims, inventories } = caches;
  const names = ['node-modules', 'module', 'module-namespace', 'node-features', 'kernel-claim', 'cluster-inventory'];
  const runtime = { metrics: reconcileMetrics(registry, names) };
  const onSpoke = { client: spoke, log, nodes: nodes.cache };
  const events = new EventRecorder({ client: spoke, component: FIELD_MANAGER, log });
  const loading = {
    ...onSpoke,
    modules: modules.cache,
    configs: configs.cache,
    permissions: askedPermissions(spoke),
    operatorNamespace: namespace,
  };
  const reported = { features: features.cache, agentNamespace: namespace };
  const dropped = new DroppedLabels(registry);
  const run = (controller: Controller, ...needs: ControllerRun['needs']) => ({ controller, needs });
  const runs = [
    run(nodeModulesController(loading, runtime), nodes, modules, configs),
    run(
      moduleController({ ...loading, events }, { ...runtime, coalesceMs: clusterDefaults.moduleStatusCoalesceMs }),
      ...[nodes, modules, configs],
    ),
    run(moduleNamespaceController({ client: spoke, log, modules: modules.cache }, runtime), modules),
    run(nodeFeaturesController({ ...onSpoke, ...reported, dropped, seen: new Set() }, runtime), nodes, features),
    run(kernelClaimController({ ...onSpoke, claims: claims.cache }, runtime), nodes, claims),
    run(
      clusterInventoryController(
        {
          ...{ client: hub, clusterName, log, ...reported },
          ...{ nodes: nodes.cache, configs: configs.cache },
          ...{ topologies: topologies.cache, inventories: inventories.cache },
        },
        { ...runtime, coalesceMs: clusterDefaults.inventoryCoalesceMs },
      ),
      ...[nodes, features, topologies, configs, inventories],
    ),
  ];
  queueMetrics(
    registry,
    runs.map(({ controller }) => controller),
  );
  return runs;
}
