import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import type { Cache, EventRecorder, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { ModulePermissions } from '../../module-permissions.ts';

export type ModuleDeps = {
  client: Pick<KubeClient, 'patch'>;
  events: Pick<EventRecorder, 'record'>;
  nodes: Cache<Node>;
  modules: Cache<Module>;
  configs: Cache<NodeModulesConfig>;
  permissions: ModulePermissions;
  operatorNamespace: string;
  log: Logger;
};
