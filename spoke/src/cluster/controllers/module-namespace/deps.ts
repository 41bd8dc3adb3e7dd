import type { Module } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';

export type ModuleNamespaceDeps = {
  client: Pick<KubeClient, 'getIfPresent' | 'patch'>;
  /** Indexed by BY_NAMESPACE. */
  modules: Cache<Module>;
  log: Logger;
};
