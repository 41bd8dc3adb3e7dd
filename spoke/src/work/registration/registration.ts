import { clusterClaim, managedCluster, node } from '@kmm-hub/api-types';
import { Controller, type KubeClient, type ReconcileMetrics, Reflector } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import { clusterStatusReconciler } from './cluster-status.ts';
import { renewLease } from './lease.ts';
import { isAccepted } from './plan.ts';
import { capacityOf, watchRegistration } from './register.ts';

export type RegistrationOptions = {
  hub: KubeClient;
  spoke: KubeClient;
  clusterName: string;
  metrics: ReconcileMetrics;
  log: Logger;
};

export const registrationControllers = ['cluster-status', 'cluster-lease'] as const;

/** What OCM's registration agent does once a cluster is accepted: status, claims and lease of its ManagedCluster. */
export function createRegistration(options: RegistrationOptions) {
  const { hub, spoke, clusterName, metrics, log } = options;
  const select = { fieldSelector: `metadata.name=${clusterName}` }; // the role may read no other cluster
  const clusters = new Reflector({ client: hub, resource: managedCluster, select, log });
  const claims = new Reflector({ client: spoke, resource: clusterClaim, log });
  const nodes = new Reflector({ client: spoke, resource: node, trim: capacityOf, log });
  const now = () => new Date();
  const caches = { clusters: clusters.cache, claims: claims.cache, nodes: nodes.cache };
  const deps = { hub, spoke, clusterName, ...caches, now, log };
  const shared = { log, metrics, concurrency: 1 };
  const status = new Controller({ ...shared, name: 'cluster-status', reconcile: clusterStatusReconciler(deps) });
  const renewal = new Controller({
    ...shared,
    name: 'cluster-lease',
    reconcile: (key, signal) => renewLease(deps, key, signal),
  });
  watchRegistration(caches, { status: status.queue, lease: renewal.queue }, clusterName);
  const problems = () => {
    const accepted = isAccepted(clusters.cache.get(clusterName));
    const refused = clusters.cache.synced && !accepted ? [`the hub does not accept the cluster ${clusterName}`] : [];
    return [...[clusters, claims, nodes].flatMap(({ problem }) => problem ?? []), ...refused];
  };
  const parts = [clusters, claims, nodes, status, renewal];
  return {
    controllers: [status, renewal],
    problems,
    run: async (signal: AbortSignal) => void (await Promise.all(parts.map((part) => part.run(signal)))),
  };
}
