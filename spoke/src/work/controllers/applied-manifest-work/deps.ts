import type { AppliedManifestWork, ManifestWork } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { AgentIdentity } from '../../hub-identity.ts';

export type AppliedManifestWorkDeps = {
  spoke: KubeClient;
  applied: Pick<Cache<AppliedManifestWork>, 'get'>;
  /** The works of this cluster on the hub. */
  works: Pick<Cache<ManifestWork>, 'get' | 'synced'>;
  clusterName: string;
  identity: AgentIdentity;
  /** How long what a vanished work applied stays. */
  evictionGraceMs: number;
  now: () => Date;
  log: Logger;
};
