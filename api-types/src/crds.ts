import { addOnDeploymentConfig } from './add-on-deployment-config.ts';
import { addOnPlacementScore } from './add-on-placement-score.ts';
import { addOnTemplate } from './add-on-template.ts';
import { appliedManifestWork } from './applied-manifest-work.ts';
import { bootModuleConfig } from './boot-module-config.ts';
import { clusterInventory } from './cluster-inventory.ts';
import { clusterManagementAddOn } from './cluster-management-add-on.ts';
import { clusterProperty } from './cluster-property.ts';
import type { Crd } from './crd.ts';
import { clusterManager, klusterlet } from './klusterlet.ts';
import type { KubeObject } from './kube-object.ts';
import { clusterClaim, managedCluster } from './managed-cluster.ts';
import { managedClusterAddOn } from './managed-cluster-add-on.ts';
import { managedClusterModule } from './managed-cluster-module.ts';
import { managedClusterSet, managedClusterSetBinding } from './managed-cluster-set.ts';
import { manifestWork } from './manifest-work.ts';
import { manifestWorkReplicaSet } from './manifest-work-replica-set.ts';
import { module } from './module.ts';
import { moduleImage } from './module-image.ts';
import { moduleBuildSignConfig, moduleImagesConfig } from './module-images-config.ts';
import { nodeFeature } from './node-feature.ts';
import { nodeFeatureDiscovery } from './node-feature-discovery.ts';
import { nodeFeatureGroup, nodeFeatureRule, openshiftNodeFeatureRule } from './node-feature-rule.ts';
import { nodeModulesConfig } from './node-modules-config.ts';
import { nodeResourceTopology } from './node-resource-topology.ts';
import { placement, placementDecision } from './placement.ts';
import { preflightValidation, preflightValidationOcp } from './preflight-validation.ts';

type Folder = 'hub' | 'spoke' | 'upstream' | 'ocm-hub' | 'ocm-placement' | 'ocm-spoke' | 'ocm-add-on' | 'ocm-rest';

/**
 * The CRDs by the folder under deploy/crds that they are written to: ours for the hub and for a spoke; those of upstream KMM and
 * NFD that no process of ours reads, which move when one does; OCM's for places without OCM, the last two of them read by nobody
 * here. Each CRD costs an API server 0.1 s until it is served, and every world of the lab starts with hub, spoke, ocm-hub and
 * ocm-spoke.
 */
export const crds: Record<Folder, Crd<KubeObject>[]> = {
  hub: [managedClusterModule, moduleImage, clusterInventory],
  spoke: [module, nodeModulesConfig, nodeFeature, nodeResourceTopology],
  upstream: [
    ...[moduleImagesConfig, moduleBuildSignConfig, preflightValidation, preflightValidationOcp, bootModuleConfig],
    ...[nodeFeatureRule, openshiftNodeFeatureRule, nodeFeatureGroup, nodeFeatureDiscovery],
  ],
  'ocm-hub': [managedCluster, manifestWork],
  'ocm-placement': [
    ...[placement, placementDecision, managedClusterSet, managedClusterSetBinding],
    ...[addOnPlacementScore, manifestWorkReplicaSet],
  ],
  'ocm-spoke': [clusterClaim, appliedManifestWork],
  'ocm-add-on': [clusterManagementAddOn, managedClusterAddOn, addOnTemplate, addOnDeploymentConfig],
  'ocm-rest': [clusterProperty, klusterlet, clusterManager],
};
