import { expect, test } from 'vitest';
import { versionsOf } from './crd.ts';
import { crds } from './crds.ts';

/** One kind as its owner installs it: versions with the stored one first, and the short names that people type. */
type Row = [
  kind: string,
  group: string,
  versions: string,
  plural: string,
  scope: 'Cluster' | 'Namespaced',
  names: string,
];

const KMM = 'kmm.sigs.x-k8s.io';
const NFD = 'nfd.k8s-sigs.io';
const CLUSTER = 'cluster.open-cluster-management.io';
const WORK = 'work.open-cluster-management.io';
const ADD_ON = 'addon.open-cluster-management.io';
const OPERATOR = 'operator.open-cluster-management.io';

const kmm: Row[] = [
  ['ManagedClusterModule', 'hub.kmm.sigs.x-k8s.io', 'v1beta1', 'managedclustermodules', 'Cluster', ''],
  ['Module', KMM, 'v1beta1', 'modules', 'Namespaced', ''],
  ['ModuleImagesConfig', KMM, 'v1beta1', 'moduleimagesconfigs', 'Namespaced', 'mic'],
  ['ModuleBuildSignConfig', KMM, 'v1beta1', 'modulebuildsignconfigs', 'Namespaced', 'mbsc'],
  ['NodeModulesConfig', KMM, 'v1beta1', 'nodemodulesconfigs', 'Cluster', 'nmc'],
  ['PreflightValidation', KMM, 'v1beta2', 'preflightvalidations', 'Cluster', 'pfv'], // v1beta1 needs a webhook
  ['PreflightValidationOCP', KMM, 'v1beta2', 'preflightvalidationsocp', 'Cluster', 'pfvo'], // the same
  ['BootModuleConfig', KMM, 'v1beta1', 'bootmoduleconfigs', 'Namespaced', 'bmc'],
];
const ocm: Row[] = [
  ['ManagedCluster', CLUSTER, 'v1', 'managedclusters', 'Cluster', 'mcl mcls'],
  ['ClusterClaim', CLUSTER, 'v1alpha1', 'clusterclaims', 'Cluster', ''],
  ['AddOnPlacementScore', CLUSTER, 'v1alpha1', 'addonplacementscores', 'Namespaced', ''],
  ['Placement', CLUSTER, 'v1beta1', 'placements', 'Namespaced', ''],
  ['PlacementDecision', CLUSTER, 'v1beta1', 'placementdecisions', 'Namespaced', ''],
  ['ManagedClusterSet', CLUSTER, 'v1beta2', 'managedclustersets', 'Cluster', 'mclset mclsets'],
  [
    'ManagedClusterSetBinding',
    CLUSTER,
    'v1beta2',
    'managedclustersetbindings',
    'Namespaced',
    'mclsetbinding mclsetbindings',
  ],
  ['ManifestWork', WORK, 'v1', 'manifestworks', 'Namespaced', ''],
  ['AppliedManifestWork', WORK, 'v1', 'appliedmanifestworks', 'Cluster', ''],
  ['ManifestWorkReplicaSet', WORK, 'v1alpha1', 'manifestworkreplicasets', 'Namespaced', 'mwrs'],
  ['ClusterManagementAddOn', ADD_ON, 'v1alpha1', 'clustermanagementaddons', 'Cluster', 'cma cmas'], // v1beta1 needs a webhook
  ['ManagedClusterAddOn', ADD_ON, 'v1alpha1', 'managedclusteraddons', 'Namespaced', 'mca mcas'], // the same
  ['AddOnDeploymentConfig', ADD_ON, 'v1alpha1 v1beta1', 'addondeploymentconfigs', 'Namespaced', ''],
  ['AddOnTemplate', ADD_ON, 'v1alpha1 v1beta1', 'addontemplates', 'Cluster', ''],
  ['ClusterProperty', 'about.k8s.io', 'v1alpha1', 'clusterproperties', 'Cluster', ''],
  ['Klusterlet', OPERATOR, 'v1', 'klusterlets', 'Cluster', ''],
  ['ClusterManager', OPERATOR, 'v1', 'clustermanagers', 'Cluster', ''],
];
const nfd: Row[] = [
  ['NodeFeature', NFD, 'v1alpha1', 'nodefeatures', 'Namespaced', ''],
  ['NodeFeatureRule', NFD, 'v1alpha1', 'nodefeaturerules', 'Cluster', 'nfr'],
  ['NodeFeatureRule', 'nfd.openshift.io', 'v1alpha1', 'nodefeaturerules', 'Cluster', 'nfr'],
  ['NodeFeatureGroup', NFD, 'v1alpha1', 'nodefeaturegroups', 'Namespaced', 'nfg'],
  ['NodeFeatureDiscovery', 'nfd.openshift.io', 'v1', 'nodefeaturediscoveries', 'Namespaced', ''],
  [
    'NodeResourceTopology',
    'topology.node.k8s.io',
    'v1alpha2 v1alpha1',
    'noderesourcetopologies',
    'Cluster',
    'node-res-topo',
  ],
];
/** Kinds that OCM and NFD give no status of their own, so that writing them needs no second request. */
const WITHOUT_STATUS = [
  ...['ClusterClaim', 'AddOnDeploymentConfig', 'AddOnTemplate'],
  ...['NodeFeature', 'NodeFeatureRule', 'NodeResourceTopology'],
];

const all = Object.values(crds).flat();

test.each([...kmm, ...ocm, ...nfd])(
  '%s of %s is served as its owner serves it',
  (...[kind, group, versions, plural, scope, names]: Row) => {
    const { definition } = all.find((crd) => crd.kind === kind && crd.group === group) ?? {};
    const served = definition && {
      ...{ kind, group, plural: definition.plural, scope: definition.scope },
      versions: versionsOf(definition).map(({ version }) => version),
      hasStatus: 'status' in definition.properties.properties,
    };
    const hasStatus = !WITHOUT_STATUS.includes(kind);
    expect(served).toEqual({ kind, group, plural, scope, versions: versions.split(' '), hasStatus });
    expect(definition?.shortNames ?? []).toEqual(expect.arrayContaining(names.split(' ').filter(Boolean)));
  },
);
