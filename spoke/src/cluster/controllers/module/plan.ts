import { isDeepStrictEqual } from 'node:util';
import {
  keyOf,
  MODULE_FINALIZER,
  type Module,
  type ModuleStatus,
  type Node,
  type NodeModuleSpec,
  type NodeModuleStatus,
  type NodeModulesConfig,
} from '@kmm-hub/api-types';
import { moduleKeyOf } from '../../caches.ts';
import {
  clusterProblem,
  decideModule,
  isLoaded,
  isSelected,
  isTolerated,
  serviceAccountOf,
} from '../../module-on-node.ts';
import type { Problem } from '../../node-module-entry.ts';

export type ModuleInput = {
  module: Module;
  /** Every node that is not being deleted. */
  nodes: readonly Node[];
  /** The NodeModulesConfig of a node by its name. */
  configOf: (nodeName: string) => NodeModulesConfig | undefined;
  mayLoad: boolean;
  /** Of the cluster; see ModuleOnNode. */
  kubernetesVersion?: string | undefined;
  operatorNamespace: string;
};

export type ModulePlan = {
  /** The finalizers to write; undefined when they are right. */
  finalizers?: string[];
  /** The merge patch for the status; undefined when it is right. What no longer holds is null. */
  status?: StatusPatch;
  /** What went wrong since the status was last written. */
  newProblem?: Problem;
};
export type StatusPatch = Omit<ModuleStatus, 'moduleLoader' | 'degraded'> & {
  moduleLoader: ModuleStatus['moduleLoader'] | null;
  degraded: ModuleStatus['degraded'] | null;
};

/**
 * What becomes of a Module object: the finalizer stays until no node lists the module as wanted or as loaded, the numbers
 * are upstream's (§1.3), and `degraded` tells what keeps it off the whole cluster, else of the first node, by name, on which
 * something is wrong.
 */
export function planModule(input: ModuleInput): ModulePlan {
  const { module } = input;
  const nodes = situationsOf(input);
  const finalizers = planFinalizers(module, nodes);
  if (finalizers !== undefined && !finalizers.includes(MODULE_FINALIZER)) return { finalizers }; // it is gone then
  const { status, problem } = planStatus(input, nodes);
  const known = module.status?.degraded?.reason;
  return {
    ...(finalizers && { finalizers }),
    ...(status && { status }),
    ...(problem && problem.reason !== known && { newProblem: problem }),
  };
}

type Situation = { node: Node; listed: NodeModuleSpec | undefined; reported: NodeModuleStatus | undefined };

function situationsOf({ module, nodes, configOf }: ModuleInput): Situation[] {
  const isOurs = (entry: { namespace: string; name: string }) => moduleKeyOf(entry) === keyOf(module);
  return [...nodes]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((node) => {
      const config = configOf(node.metadata.name);
      return { node, listed: config?.spec?.modules?.find(isOurs), reported: config?.status?.modules?.find(isOurs) };
    });
}

function planFinalizers({ metadata }: Module, nodes: readonly Situation[]): string[] | undefined {
  const finalizers = metadata.finalizers ?? [];
  const held = finalizers.includes(MODULE_FINALIZER);
  if (metadata.deletionTimestamp === undefined) return held ? undefined : [...finalizers, MODULE_FINALIZER];
  const used = nodes.some(({ listed, reported }) => listed !== undefined || reported !== undefined);
  return held && !used ? finalizers.filter((finalizer) => finalizer !== MODULE_FINALIZER) : undefined;
}

function planStatus(input: ModuleInput, nodes: readonly Situation[]): { status?: StatusPatch; problem?: Problem } {
  const { module } = input;
  const problem = firstProblem(input, nodes);
  const { generation } = module.metadata;
  const status: StatusPatch = {
    ...(generation !== undefined && { observedGeneration: generation }),
    moduleLoader: module.spec.moduleLoader === undefined ? null : countNodes(module, nodes),
    degraded: problem ? { reason: problem.reason.slice(0, 128), message: problem.message.slice(0, 1024) } : null,
  };
  const { observedGeneration, moduleLoader = null, degraded = null } = module.status ?? {};
  const same = isDeepStrictEqual(
    { observedGeneration, moduleLoader, degraded },
    { observedGeneration: generation, moduleLoader: status.moduleLoader, degraded: status.degraded },
  );
  return { ...(!same && { status }), ...(problem && { problem }) };
}

/** Matching: selected, and tolerated or there already, since a taint unloads nothing here (W33). */
function countNodes(module: Module, nodes: readonly Situation[]) {
  const isMatching = ({ node, listed }: Situation) =>
    isSelected(module, node) && (listed !== undefined || isTolerated(module, node));
  const listing = nodes.filter(({ listed }) => listed !== undefined);
  return {
    nodesMatchingSelectorNumber: nodes.filter(isMatching).length,
    desiredNumber: listing.length,
    availableNumber: listing.filter(({ node, listed, reported }) => listed && isLoaded(listed, reported, node)).length,
  };
}

function firstProblem(input: ModuleInput, nodes: readonly Situation[]): Problem | undefined {
  const { module, mayLoad, kubernetesVersion, operatorNamespace } = input;
  const everywhere = clusterProblem(module, kubernetesVersion);
  if (everywhere !== undefined && module.metadata.deletionTimestamp === undefined) return everywhere;
  const serviceAccount = serviceAccountOf(module, operatorNamespace);
  for (const { node, listed, reported } of nodes) {
    const { problem = reported?.error } = decideModule({ module, node, listed, mayLoad }, serviceAccount);
    if (problem !== undefined) {
      return { reason: problem.reason, message: `node ${node.metadata.name}: ${problem.message}` };
    }
  }
  return undefined;
}
