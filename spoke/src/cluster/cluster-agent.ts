import {
  type Controller,
  EventRecorder,
  type KubeClient,
  metricsRegistry,
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
  spoke: KubeClient;
  hub: KubeClient;
  clusterName: string;
  namespace: string;
  healthPort: number;
  log: Logger;
};

/** Runs the controllers of one cluster until aborted. API servers that do not answer are waited for; /readyz says so. */
export async function runClusterAgent(agent: ClusterAgent, signal: AbortSignal): Promise<void> {
  const { spoke, hub, clusterName, namespace, log } = agent;
  const caches = clusterCaches({ spoke, hub, clusterName, agentNamespace: namespace, log });
  const registry = metricsRegistry();
  const runs = registerControllers(agent, caches, registry);
  const problems = () => Object.values(caches).flatMap(({ problem }) => problem ?? []);
  const port = await startHealthServer({ port: agent.healthPort, problems, registry }, signal);
  log.info({ cluster: clusterName, spoke: spoke.server, hub: hub.server, healthPort: port }, 'cluster agent started');
  const reflectors = Object.values(caches).map((reflector) => reflector.run(signal));
  await Promise.all([...reflectors, runControllers(runs, signal)]);
}

function registerControllers(
  { spoke, hub, clusterName, namespace, log }: ClusterAgent,
  caches: ClusterCaches,
  registry: ReturnType<typeof metricsRegistry>,
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
  return [
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
}
