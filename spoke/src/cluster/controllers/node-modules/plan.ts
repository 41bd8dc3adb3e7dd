import { isDeepStrictEqual } from 'node:util';
import {
  keyOf,
  type Module,
  moduleConfiguredLabel,
  moduleInUseLabel,
  type Node,
  type NodeModuleSpec,
  type NodeModulesConfig,
  type OwnerReference,
  readyLabel,
  versionReadyLabel,
} from '@kmm-hub/api-types';
import { moduleKeyOf, modulesOf } from '../../caches.ts';
import { decideModule, isLoaded, serviceAccountOf } from '../../module-on-node.ts';

export type NodeModulesInput = {
  node: Node;
  modules: readonly Module[];
  /** What there is now; undefined when there is none. */
  current?: NodeModulesConfig | undefined;
  mayLoad: (module: Module) => boolean;
  /** Of the cluster; see ModuleOnNode. */
  kubernetesVersion?: string | undefined;
  operatorNamespace: string;
};

export type ConfigPlan =
  | { action: 'none' | 'delete' }
  | { action: 'create'; object: NodeModulesConfig }
  /** A merge patch; a label that goes is null. */
  | { action: 'update'; patch: ConfigPatch };
export type ConfigPatch = {
  metadata: { labels: Record<string, string | null>; ownerReferences: OwnerReference[] };
  spec: { modules: NodeModuleSpec[] };
};

export type NodeModulesPlan = {
  config: ConfigPlan;
  /** Labels of the Node that change: a value, or null to remove. */
  nodeLabels: Record<string, string | null>;
};

/**
 * What one node is to load, and which ready labels it has earned. Nothing here depends on the order of events: the plan
 * follows from the objects as they are. An empty NodeModulesConfig that the node has answered to is deleted.
 */
export function planNodeModules(input: NodeModulesInput): NodeModulesPlan {
  const { node, current } = input;
  return { config: planConfig(wantedModules(input), node, current), nodeLabels: planNodeLabels(node, current) };
}

function wantedModules(input: NodeModulesInput): NodeModuleSpec[] {
  const { node, modules, current, mayLoad, kubernetesVersion, operatorNamespace } = input;
  const listed = new Map((current?.spec?.modules ?? []).map((entry) => [moduleKeyOf(entry), entry]));
  const sorted = [...modules].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)); // one order, else the write would flap
  return sorted.flatMap((module) => {
    const situation = { module, node, listed: listed.get(keyOf(module)), mayLoad: mayLoad(module), kubernetesVersion };
    return decideModule(situation, serviceAccountOf(module, operatorNamespace)).entry ?? [];
  });
}

function planConfig(wanted: NodeModuleSpec[], node: Node, current: NodeModulesConfig | undefined): ConfigPlan {
  const { name, uid = '' } = node.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
  const reported = current?.status?.modules ?? [];
  const labels = configLabels(wanted, [...wanted, ...reported]);
  if (current === undefined) {
    if (wanted.length === 0) return { action: 'none' };
    return { action: 'create', object: { metadata: { name, labels, ownerReferences }, spec: { modules: wanted } } };
  }
  if (wanted.length === 0 && modulesOf(current).length === 0) return { action: 'delete' };
  const changed = labelChanges(current.metadata.labels, { wanted: labels, isOurs: isConfigLabel });
  const settled =
    Object.keys(changed).length === 0 &&
    isDeepStrictEqual(current.spec?.modules ?? [], wanted) &&
    isDeepStrictEqual(current.metadata.ownerReferences, ownerReferences);
  if (settled) return { action: 'none' };
  return { action: 'update', patch: { metadata: { labels: changed, ownerReferences }, spec: { modules: wanted } } };
}

type ModuleName = { namespace: string; name: string };

function configLabels(wanted: readonly ModuleName[], used: readonly ModuleName[]): Record<string, string> {
  return Object.fromEntries([
    ...wanted.map(({ namespace, name }) => [moduleConfiguredLabel(namespace, name), '']),
    ...used.map(({ namespace, name }) => [moduleInUseLabel(namespace, name), '']),
  ]);
}

/** Modules that the node has just as its configuration wants them. */
export function readyModules(node: Node, current: NodeModulesConfig | undefined): NodeModuleSpec[] {
  const reported = new Map((current?.status?.modules ?? []).map((entry) => [moduleKeyOf(entry), entry]));
  const isReady = (entry: NodeModuleSpec) => isLoaded(entry, reported.get(moduleKeyOf(entry)), node);
  return (current?.spec?.modules ?? []).filter(isReady);
}

function planNodeLabels(node: Node, current: NodeModulesConfig | undefined): Record<string, string | null> {
  const wanted = Object.fromEntries(
    readyModules(node, current).flatMap(({ namespace, name, version }) => [
      [readyLabel(namespace, name), ''],
      ...(version ? [[versionReadyLabel(namespace, name), version]] : []),
    ]),
  );
  return labelChanges(node.metadata.labels, { wanted, isOurs: isReadyLabel });
}

/** Ours by form, so that labels of Modules long gone, and of upstream's 4.12 era, are found too. */
function isReadyLabel(key: string): boolean {
  return key.startsWith('kmm.node.kubernetes.io/') && key.endsWith('.ready');
}

function isConfigLabel(key: string): boolean {
  return key.startsWith('beta.kmm.node.kubernetes.io/') && /\.module-(configured|in-use)$/.test(key);
}

/** A merge patch from the labels that are there to the wanted ones; those that are not ours stay. */
function labelChanges(
  current: Record<string, string> = {},
  { wanted, isOurs }: { wanted: Record<string, string>; isOurs: (key: string) => boolean },
): Record<string, string | null> {
  const gone = Object.keys(current).filter((key) => isOurs(key) && !Object.hasOwn(wanted, key));
  const set = Object.entries(wanted).filter(([key, value]) => current[key] !== value);
  return Object.fromEntries([...gone.map((key) => [key, null]), ...set]);
}
