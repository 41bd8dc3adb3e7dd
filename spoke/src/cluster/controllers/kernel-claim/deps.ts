import type { ClusterClaim, Node } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';

export type KernelClaimDeps = {
  client: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
  nodes: Cache<Node>;
  claims: Cache<ClusterClaim>;
  log: Logger;
};
