import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import type { Cache, EventRecorder, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { KubernetesVersion } from '../../kubernetes-version.ts';
import type { ModulePermissions } from '../../module-permissions.ts';
import type { Sight } from './load-news.ts';

/** What the agent brings. */
export type NodeModulesSources = {
  client: Pick<KubeClient, 'create' | 'patch' | 'delete' | 'raw'>;
  nodes: Cache<Node>;
  modules: Cache<Module>;
  configs: Cache<NodeModulesConfig>;
  permissions: ModulePermissions;
  /** Namespace whose Modules load under the operator's own service account. */
  operatorNamespace: string;
  log: Logger;
};

export type NodeModulesDeps = NodeModulesSources & {
  version: KubernetesVersion;
  events: Pick<EventRecorder, 'record'>;
  /** By node: what it had when it was last looked at. */
  sights: Map<string, Sight>;
};
