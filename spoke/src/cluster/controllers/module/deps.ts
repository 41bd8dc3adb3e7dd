import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import type { Cache, EventRecorder, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { KubernetesVersion } from '../../kubernetes-version.ts';
import type { ModulePermissions } from '../../module-permissions.ts';

/** What the agent brings. */
export type ModuleSources = {
  client: Pick<KubeClient, 'patch' | 'raw'>;
  events: Pick<EventRecorder, 'record'>;
  nodes: Cache<Node>;
  modules: Cache<Module>;
  configs: Cache<NodeModulesConfig>;
  permissions: ModulePermissions;
  operatorNamespace: string;
  log: Logger;
};

export type ModuleDeps = ModuleSources & { version: KubernetesVersion };
