import { bootModuleConfig } from './boot-module-config.ts';
import { clusterInventory } from './cluster-inventory.ts';
import type { Crd } from './crd.ts';
import type { KubeObject } from './kube-object.ts';
import { clusterClaim, managedCluster } from './managed-cluster.ts';
import { managedClusterModule } from './managed-cluster-module.ts';
import { managedClusterSet, managedClusterSetBinding } from './managed-cluster-set.ts';
import { appliedManifestWork, manifestWork } from './manifest-work.ts';
import { module } from './module.ts';
import { moduleImage } from './module-image.ts';
import { moduleBuildSignConfig, moduleImagesConfig } from './module-images-config.ts';
import { nodeFeature } from './node-feature.ts';
import { nodeFeatureGroup, nodeFeatureRule } from './node-feature-rule.ts';
import { nodeModulesConfig } from './node-modules-config.ts';
import { nodeResourceTopology } from './node-resource-topology.ts';
import { placement, placementDecision } from './placement.ts';
import { preflightValidation, preflightValidationOcp } from './preflight-validation.ts';

type Folder = 'hub' | 'spoke' | 'upstream' | 'ocm-hub' | 'ocm-placement' | 'ocm-spoke';

/**
 * The CRDs by the folder under deploy/crds that they are written to: ours for the hub and for a spoke; those of upstream KMM and
 * NFD that no process of ours reads, which move when one does; OCM's for places without OCM. Each CRD costs an API server 0.1 s
 * until it is served, and every world of the lab starts with hub, spoke, ocm-hub and ocm-spoke.
 */
export const crds: Record<Folder, Crd<KubeObject>[]> = {
  hub: [managedClusterModule, moduleImage, clusterInventory],
  spoke: [module, nodeModulesConfig, nodeFeature, nodeResourceTopology],
  upstream: [
    ...[moduleImagesConfig, moduleBuildSignConfig, preflightValidation, preflightValidationOcp, bootModuleConfig],
    ...[nodeFeatureRule, nodeFeatureGroup],
  ],
  'ocm-hub': [managedCluster, manifestWork],
  'ocm-placement': [placement, placementDecision, managedClusterSet, managedClusterSetBinding],
  'ocm-spoke': [clusterClaim, appliedManifestWork],
};
