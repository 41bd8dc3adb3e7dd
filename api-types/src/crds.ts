import { clusterInventory } from './cluster-inventory.ts';
import type { Crd } from './crd.ts';
import type { KubeObject } from './kube-object.ts';
import { clusterClaim, managedCluster } from './managed-cluster.ts';
import { managedClusterModule } from './managed-cluster-module.ts';
import { appliedManifestWork, manifestWork } from './manifest-work.ts';
import { module } from './module.ts';
import { moduleImage } from './module-image.ts';
import { nodeFeature } from './node-feature.ts';
import { nodeModulesConfig } from './node-modules-config.ts';
import { nodeResourceTopology } from './node-resource-topology.ts';

/** The CRDs by the folder under deploy/crds that they are written to: ours for the hub, ours for a spoke, and OCM's. */
export const crds: Record<'hub' | 'spoke' | 'ocm-hub' | 'ocm-spoke', Crd<KubeObject>[]> = {
  hub: [managedClusterModule, moduleImage, clusterInventory],
  spoke: [module, nodeModulesConfig, nodeFeature, nodeResourceTopology],
  'ocm-hub': [managedCluster, manifestWork],
  'ocm-spoke': [clusterClaim, appliedManifestWork],
};
