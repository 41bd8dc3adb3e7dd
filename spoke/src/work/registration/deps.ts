import type { ClusterClaim, ManagedCluster, Node } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';

export type RegistrationDeps = {
  hub: KubeClient;
  spoke: KubeClient;
  clusterName: string;
  /** On the hub: this cluster alone. */
  clusters: Pick<Cache<ManagedCluster>, 'get'>;
  claims: Pick<Cache<ClusterClaim>, 'list' | 'synced'>;
  nodes: Pick<Cache<Node>, 'list' | 'synced'>;
  now: () => Date;
  log: Logger;
};
