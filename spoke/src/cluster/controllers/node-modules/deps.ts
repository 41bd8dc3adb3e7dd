import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { ModulePermissions } from '../../module-permissions.ts';

export type NodeModulesDeps = {
  client: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
  nodes: Cache<Node>;
  modules: Cache<Module>;
  configs: Cache<NodeModulesConfig>;
  permissions: ModulePermissions;
  /** Namespace whose Modules load under the operator's own service account. */
  operatorNamespace: string;
  log: Logger;
};
