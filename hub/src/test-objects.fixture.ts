import {
  type ClusterInventory,
  type ConfigMap,
  HUB_NAMESPACE,
  KERNEL_VERSIONS_CLAIM,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManagedClusterModuleSpec,
  type ModuleImage,
  type ModuleImageStatus,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { pino } from 'pino';
import { Fleet } from './fleet/fleet.ts';

// Objects for tests: whole and valid, with the parts that a test is about given by it.

export function clusterWith({
  name = 'c1',
  labels = {},
  claims = {},
  accepted = true,
}: {
  name?: string;
  labels?: Record<string, string>;
  claims?: Record<string, string>;
  accepted?: boolean;
} = {}): ManagedCluster {
  const clusterClaims = Object.entries(claims).map(([claim, value]) => ({ name: claim, value }));
  return { metadata: { name, labels }, spec: { hubAcceptsClient: accepted }, status: { clusterClaims } };
}

/** A cluster whose claim lists these kernels. */
export function clusterOn(name: string, kernels: string[], labels: Record<string, string> = {}): ManagedCluster {
  return clusterWith({ name, labels, claims: { [KERNEL_VERSIONS_CLAIM]: kernels.join('\n') } });
}

/** The same cluster, as its registration tells of another version of Kubernetes, e.g. "v1.33.4". */
export function onKubernetes(kubernetes: string, cluster: ManagedCluster): ManagedCluster {
  return { ...cluster, status: { ...cluster.status, version: { kubernetes } } };
}

export function inventoryWith(spec: Partial<NonNullable<ClusterInventory['spec']>>, cluster = 'c1'): ClusterInventory {
  return {
    metadata: { name: cluster, namespace: cluster },
    spec: { kernelVersions: [], nodeCount: 0, groups: [], ...spec },
  };
}

type Container = NonNullable<NonNullable<ManagedClusterModuleSpec['moduleSpec']>['moduleLoader']>['container'];

const DRA = { driverName: 'nic.example.com', container: { image: 'r.example/dra:1' } };

/** A module for every cluster: kernels → r.example/<name>:<kernel>, built from ConfigMap `dockerfile`. `dra` needs Kubernetes 1.34. */
export function moduleWith({
  name = 'nic',
  createdAt = '2026-01-01T00:00:00Z',
  spec = {},
  container = {},
  dra = false,
}: {
  name?: string;
  createdAt?: string;
  spec?: Partial<ManagedClusterModuleSpec>;
  container?: Partial<Container>;
  dra?: boolean;
} = {}): ManagedClusterModule {
  return {
    metadata: { name, uid: `uid-${name}`, generation: 1, creationTimestamp: createdAt },
    spec: {
      spokeNamespace: 'drivers',
      selector: {},
      moduleSpec: {
        selector: { 'has-nic': 'yes' },
        ...(dra && { dra: DRA }),
        moduleLoader: {
          container: {
            modprobe: { moduleName: name, dirName: '/opt' },
            kernelMappings: [{ regexp: '^.+$', containerImage: `r.example/${name}:\${KERNEL_FULL_VERSION}` }],
            build: { dockerfileConfigMap: { name: 'dockerfile' } },
            ...container,
          },
        },
      },
      ...spec,
    },
  };
}

export function dockerfileWith(text: string, name = 'dockerfile'): ConfigMap {
  return { metadata: { name, namespace: HUB_NAMESPACE }, data: { dockerfile: text } };
}

export function imageWith(name: string, recipeKey: string, status?: Omit<ModuleImageStatus, 'recipeKey'>): ModuleImage {
  const architecture = { architecture: 'amd64', dirName: '/opt', rebuildPolicy: 'IfMissing' as const };
  return {
    metadata: { name, uid: `uid-${name}`, generation: 2, resourceVersion: '7' },
    spec: { image: 'r.example/nic:6.1.0', kernelVersion: '6.1.0', recipeKey, ...architecture },
    ...(status && { status: { recipeKey, ...status } }),
  };
}

/** A fleet whose caches the test fills; no API server is behind it. */
export function fleetInMemory(): Fleet {
  return new Fleet({ client: {} as KubeClient, namespace: HUB_NAMESPACE, log: pino({ level: 'silent' }) });
}
