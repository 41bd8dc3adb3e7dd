import { isDeepStrictEqual } from 'node:util';
import {
  explain,
  MODULE_LOADER_SERVICE_ACCOUNT,
  type Module,
  moduleConfiguredLabel,
  type Node,
  type NodeModuleSpec,
  type NodeModuleStatus,
} from '@kmm-hub/api-types';
import { checkClusterVersion, isLabelKey, isLabelValue, matchesLabels, toleratesTaints } from '@kmm-hub/rules';
import { nodeModuleEntry, type Problem } from './node-module-entry.ts';

/** One Module and one Node. `listed`: what the node's NodeModulesConfig lists for the module now. */
export type ModuleOnNode = {
  module: Module;
  node: Node;
  listed?: NodeModuleSpec | undefined;
  /** The Module's service account may load kernel modules. */
  mayLoad: boolean;
  /** Of the cluster, e.g. "v1.33.4"; undefined when the Module does not ask for what only some versions have. */
  kubernetesVersion?: string | undefined;
};

/** What the node's NodeModulesConfig is to list for the module: nothing, what it lists now, or something new. */
export type ModuleDecision = { entry?: NodeModuleSpec; problem?: Problem };

/** The service account that loads a Module (KMM v2.6 §1.4; the operator's own namespace has one that may). */
export function serviceAccountOf({ metadata, spec }: Module, operatorNamespace: string): string {
  const fallback = metadata.namespace === operatorNamespace ? MODULE_LOADER_SERVICE_ACCOUNT : 'default';
  return spec.moduleLoader?.serviceAccountName || fallback;
}

/** The Module wants to be loaded on this node; taints, kernel and permission are not looked at. */
export function isSelected(module: Module, node: Node): boolean {
  if (module.spec.moduleLoader === undefined || module.metadata.deletionTimestamp !== undefined) return false;
  return matchesLabels(module.spec.selector, node.metadata.labels);
}

/** Every taint that keeps pods away is tolerated by the Module or always (KMM v2.6 §3.3). */
export function isTolerated(module: Module, node: Node): boolean {
  return toleratesTaints(node.spec?.taints ?? [], module.spec.tolerations ?? []);
}

/** What keeps the Module off this cluster, whatever its nodes are: ClusterTooOld. */
export function clusterProblem({ spec }: Module, kubernetesVersion: string | undefined): Problem | undefined {
  const checked = checkClusterVersion(spec, kubernetesVersion);
  return checked.ok ? undefined : { reason: checked.error.code, message: explain(checked.error) };
}

/**
 * Decides, in this order. Only deselection, deletion and the administrator's version label unload; whatever else is wrong
 * leaves a listed module as it is.
 * 1. Not selected, being deleted, or without module loader: nothing.
 * 2. Untolerated taint: nothing new, but a module that is there stays and is kept up to date, so that a cordoned node
 *    neither loses its driver (W33) nor keeps the image of its last kernel.
 * 3. Names that make no label, or a cluster that is too old for the Module: nothing new.
 * 4. Ordered upgrade (KMM v2.6 §5.7): the node's label for another version waits, no label unloads.
 * 5. No image for the kernel: an entry for this kernel stays, one for an earlier kernel goes.
 * 6. A service account that may not load modules: what is there stays.
 */
export function decideModule(situation: ModuleOnNode, serviceAccount: string): ModuleDecision {
  const { module, node, listed, kubernetesVersion } = situation;
  if (!isSelected(module, node)) return {};
  if (listed === undefined && !isTolerated(module, node)) return {};
  const asIs = listed === undefined ? {} : { entry: listed };
  const problem = namingProblem(module) ?? clusterProblem(module, kubernetesVersion);
  if (problem !== undefined) return { ...asIs, problem };
  const turn = versionTurn(module, node);
  if (turn === 'never') return {};
  return turn === 'later' ? asIs : decideImage(situation, { asIs, serviceAccount });
}

/** The node reports exactly what is wanted, from its present boot. */
export function isLoaded(wanted: NodeModuleSpec, reported: NodeModuleStatus | undefined, node: Node): boolean {
  const { bootId } = reported ?? {};
  if (reported === undefined || bootId === undefined || bootId !== node.status?.nodeInfo?.bootID) return false;
  return isDeepStrictEqual(reported.config, wanted.config);
}

function decideImage(
  { module, node, listed, mayLoad }: ModuleOnNode,
  { asIs, serviceAccount }: { asIs: ModuleDecision; serviceAccount: string },
): ModuleDecision {
  const kernel = node.status?.nodeInfo?.kernelVersion;
  if (!kernel) return asIs; // the node has not said yet
  const wanted = nodeModuleEntry({ module, kernel, serviceAccount });
  if ('problem' in wanted) {
    const outlived = wanted.problem.reason === 'NoKernelMapping' && listed?.config.kernelVersion !== kernel;
    return { ...(outlived ? {} : asIs), problem: wanted.problem };
  }
  return mayLoad ? wanted : { ...asIs, problem: notAllowed(module, serviceAccount) };
}

/** Labels are made of namespace, name and version; upstream's webhook refuses what makes none (KMM v2.6 §1.10 rule 1). */
function namingProblem({ metadata: { namespace = '', name }, spec }: Module): Problem | undefined {
  if (!isLabelKey(moduleConfiguredLabel(namespace, name))) {
    const message = `labels made of ${namespace}.${name} are too long; choose a shorter name or namespace`;
    return { reason: 'NameTooLong', message };
  }
  const version = spec.moduleLoader?.container.version ?? '';
  if (isLabelValue(version)) return undefined;
  const message = `version ${version} is no label value; use letters, digits, "-", "_", "."`;
  return { reason: 'WrongVersion', message };
}

function versionTurn({ metadata, spec }: Module, node: Node): 'now' | 'later' | 'never' {
  const version = spec.moduleLoader?.container.version;
  if (!version) return 'now';
  const wanted = node.metadata.labels?.[`kmm.node.kubernetes.io/version-module.${metadata.namespace}.${metadata.name}`];
  if (wanted === undefined) return 'never';
  return wanted === version ? 'now' : 'later';
}

function notAllowed({ metadata: { namespace } }: Module, serviceAccount: string): Problem {
  const message =
    `service account ${namespace}/${serviceAccount} may not load kernel modules; allow it \`use\` of the ` +
    'securitycontextconstraints "privileged" (group security.openshift.io) by a Role and a RoleBinding';
  return { reason: 'ServiceAccountNotAllowed', message };
}
