import type {
  Dra,
  Module,
  ModuleLoaderContainer,
  Node,
  NodeModuleSpec,
  NodeModuleStatus,
  NodeModulesConfig,
  Taint,
} from '@kmm-hub/api-types';
import { BUILT_IN_TOLERATIONS } from '@kmm-hub/rules';

export const KERNEL = '6.1.0-53-cloud-amd64';
export const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** The DRA part of a Module; it needs Kubernetes 1.34. */
export const DRA: Dra = { container: { image: 'registry/driver:1' }, driverName: 'gpu.example.com' };

type NodeParts = {
  labels?: Record<string, string>;
  kernel?: string;
  taints?: Taint[];
  boot?: string;
  tracked?: string;
};

/** A Node labelled gpu=yes, as the cache holds it. */
export function nodeFixture(name = 'n1', parts: NodeParts = {}): Node {
  const { labels = { gpu: 'yes' }, kernel = KERNEL, taints = [], boot = 'boot-1', tracked } = parts;
  const annotations = { 'nfd.node.kubernetes.io/feature-labels': tracked ?? '' };
  const system = { architecture: 'amd64', osImage: 'Debian GNU/Linux 12 (bookworm)' };
  return {
    metadata: {
      ...{ name, uid: `uid-${name}`, resourceVersion: '7', labels },
      ...(tracked !== undefined && { annotations }),
    },
    spec: { taints },
    status: { nodeInfo: { kernelVersion: kernel, bootID: boot, ...system } },
  };
}

type ModuleParts = {
  namespace?: string;
  container?: Partial<ModuleLoaderContainer>;
  spec?: Partial<Module['spec']>;
  metadata?: Partial<Module['metadata']>;
  status?: NonNullable<Module['status']>;
};

/** A Module for nodes labelled gpu=yes; every kernel gets registry/<name>:<kernel>. */
export function moduleFixture(name = 'kmod', parts: ModuleParts = {}): Module {
  const { namespace = 'openshift-kmm', container, spec, metadata, status } = parts;
  const kernelMappings = [{ regexp: '^.+$', containerImage: `registry/${name}:\${KERNEL_FULL_VERSION}` }];
  const loader = { modprobe: { moduleName: name, dirName: '/opt' }, kernelMappings, ...container };
  return {
    metadata: { name, namespace, generation: 1, ...metadata },
    spec: { selector: { gpu: 'yes' }, moduleLoader: { container: loader }, ...spec },
    ...(status && { status }),
  };
}

/** What is listed for `moduleFixture(name)` on a node with this kernel. */
export function entryFixture(name = 'kmod', kernel = KERNEL, namespace = 'openshift-kmm'): NodeModuleSpec {
  return {
    ...{ namespace, name, serviceAccountName: 'kmm-operator-module-loader' },
    tolerations: [...BUILT_IN_TOLERATIONS],
    config: {
      ...{ kernelVersion: kernel, containerImage: `registry/${name}:${kernel}`, insecurePull: false },
      ...{ imagePullPolicy: 'IfNotPresent', modprobe: { moduleName: name, dirName: '/opt' } },
    },
  };
}

/** The NodeModulesConfig of `nodeFixture(node)` with these entries; labels as they are to be. */
export function configFixture(
  node: string,
  spec: NodeModuleSpec[],
  { status = [], labels }: { status?: NodeModuleStatus[]; labels?: Record<string, string> } = {},
): NodeModulesConfig {
  const label = (suffix: string) => (entry: { namespace: string; name: string }) =>
    [`beta.kmm.node.kubernetes.io/${entry.namespace}.${entry.name}.${suffix}`, ''] as const;
  const own = [...spec.map(label('module-configured')), ...[...spec, ...status].map(label('module-in-use'))];
  return {
    metadata: {
      name: node,
      ...{ uid: `config-${node}`, resourceVersion: '3', labels: labels ?? Object.fromEntries(own) },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid: `uid-${node}` }],
    },
    spec: { modules: spec },
    status: { modules: status },
  };
}

/** The node agent's report that an entry is loaded. */
export function loadedFixture(entry: NodeModuleSpec, bootId = 'boot-1'): NodeModuleStatus {
  return { ...entry, bootId };
}
