import type { ManifestWork } from '@kmm-hub/api-types';
import type { Cache, Discovery, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { AgentIdentity } from '../../hub-identity.ts';
import type { Schedule } from './plan.ts';

export type ManifestWorkDeps = {
  hub: KubeClient;
  spoke: KubeClient;
  discovery: Discovery;
  /** The works of this cluster. */
  works: Pick<Cache<ManifestWork>, 'get'>;
  /** What the agent remembers of each work, by key; lost at a restart, which costs one more pass and no write. */
  schedules: Map<string, Schedule>;
  identity: AgentIdentity;
  statusSyncIntervalMs: number;
  now: () => Date;
  log: Logger;
};
