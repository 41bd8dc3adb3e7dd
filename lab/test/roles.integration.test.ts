import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tokenFor } from '../src/access/service-account.ts';
import { Disposables } from '../src/host/disposables.ts';
import { runFolder } from '../src/host/run-folder.ts';
import type { ControlPlane } from '../src/servers/control-plane.ts';
import { startHubPlane } from '../src/world/hub-world.ts';
import { acceptCluster, startSpokePlane } from '../src/world/spoke-world.ts';

// "Who writes what" as a table of tries: every role tries every row on a real API server, as a dry run, so that roles and
// policies decide and nothing changes. What the lab applies from deploy/ is what is tried.

type Json = { [field: string]: unknown };
/** `change` is tried as PATCH and as PUT: a role that may do one of both is a writer. `to` is a merge patch, or makes one. */
type Try =
  | { change: string; to: Json | ((live: Json) => Json) }
  | { create: string; kind: string; object: Json }
  /** A path of one object, or of a collection to empty at once. */
  | { remove: string }
  /** A path of one object or, to list, of many. */
  | { read: string };
/** `policy`: who has the right by the role, for another purpose, and is held back by an admission policy. */
type Row<Actor extends string> = { may?: Actor[]; policy?: Actor[]; try: Try };
type Table<Actor extends string> = Record<string, Row<Actor>>;

const hubActors = ['hub', 'worker', 'cluster', 'work', 'otherCluster', 'otherWork', 'ocm'] as const;
/** `cluster` and `work` are agents of spoke-a, the others those of spoke-b; `ocm` is OCM's own agent of spoke-a. */
type HubActor = (typeof hubActors)[number];
const spokeActors = ['cluster', 'work', 'node', 'unboundNode'] as const;
/** `node` is the agent of node-1 with a token bound to its Node. */
type SpokeActor = (typeof spokeActors)[number];

const { signal } = new AbortController(); // vitest's own limits end what hangs
const disposables = new Disposables();
const hubApi = '/apis/hub.kmm.sigs.x-k8s.io/v1alpha1';
const inventories = `${hubApi}/namespaces/spoke-a/clusterinventories`;
const mcms = '/apis/hub.kmm.sigs.x-k8s.io/v1beta1/managedclustermodules';
const works = '/apis/work.open-cluster-management.io/v1/namespaces/spoke-a/manifestworks';
const clusters = '/apis/cluster.open-cluster-management.io/v1/managedclusters';
const leases = '/apis/coordination.k8s.io/v1/namespaces/spoke-a/leases';
const hubLeases = '/apis/coordination.k8s.io/v1/namespaces/openshift-kmm-hub/leases';
const spokeLeases = '/apis/coordination.k8s.io/v1/namespaces/openshift-kmm/leases';
const kmm = '/apis/kmm.sigs.x-k8s.io/v1beta1';
const modules = `${kmm}/namespaces/openshift-kmm/modules`;
const nmcs = `${kmm}/nodemodulesconfigs`;
const features = '/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/openshift-kmm/nodefeatures';
const topologies = '/apis/topology.node.k8s.io/v1alpha2/noderesourcetopologies';
const claims = '/apis/cluster.open-cluster-management.io/v1alpha1/clusterclaims';
const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';

const workLabel = 'kmm.node.kubernetes.io/managedclustermodule.name';
const ofNode = (name: string) => ({ 'nfd.node.kubernetes.io/node-name': name });
const moduleManifest = { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', metadata: { name: 'demo' } };
const secretManifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo', namespace: 'kube-system' } };
const metadata = (name: string, more: Json = {}) => ({ metadata: { name, ...more } });
const workOf = (...manifests: Json[]) => ({ spec: { workload: { manifests } } });
const recipe = { image: 'r.example/demo:1', kernelVersion: '6.1.0', architecture: 'amd64', recipeKey: 'a'.repeat(64) };
const imageSpec = { ...recipe, rebuildPolicy: 'IfMissing' };
const inventory = { kernelVersions: ['6.1.0-1-amd64'], nodeCount: 1, groups: [] };
const moduleSpec = { selector: { a: 'b' } };
const clusterAdmin = {
  ...metadata('mine'),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
};

const leaseEvent = (namespace: string): Json => ({
  ...metadata('leads'),
  involvedObject: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'l', namespace },
});

const hubTable: Table<HubActor> = {
  'a new ModuleImage': {
    may: ['hub'],
    try: { create: `${hubApi}/moduleimages`, kind: 'ModuleImage', object: { ...metadata('b'), spec: imageSpec } },
  },
  'ModuleImage.spec': {
    may: ['hub'],
    try: { change: `${hubApi}/moduleimages/a`, to: { spec: { rebuildGeneration: 2 } } },
  },
  'ModuleImage.status': {
    may: ['hub'],
    try: { change: `${hubApi}/moduleimages/a/status`, to: { status: { phase: 'Failed' } } },
  },
  'the end of a ModuleImage': { may: ['hub'], try: { remove: `${hubApi}/moduleimages/a` } },
  'the end of all ModuleImages at once': { try: { remove: `${hubApi}/moduleimages` } },
  'ManagedClusterModule.spec': {
    policy: ['hub'],
    try: { change: `${mcms}/demo`, to: { spec: { spokeNamespace: 'kube-system' } } },
  },
  'ManagedClusterModule.status': {
    may: ['hub'],
    try: { change: `${mcms}/demo/status`, to: { status: { numberDesired: 1 } } },
  },
  'finalizers of a ManagedClusterModule': {
    may: ['hub'],
    try: { change: `${mcms}/demo`, to: { metadata: { finalizers: ['a.example/b'] } } },
  },
  'the end of a ManagedClusterModule': { try: { remove: `${mcms}/demo` } },
  'the end of all ManagedClusterModules at once': { try: { remove: mcms } },
  'a new ManifestWork': {
    may: ['hub'],
    try: {
      create: works,
      kind: 'ManifestWork',
      object: { ...metadata('new', { labels: { [workLabel]: 'new' } }), ...workOf(moduleManifest) },
    },
  },
  'a new ManifestWork without our label': {
    policy: ['hub'],
    try: { create: works, kind: 'ManifestWork', object: { ...metadata('new'), ...workOf(moduleManifest) } },
  },
  'a new ManifestWork that holds a Secret': {
    policy: ['hub'],
    try: {
      create: works,
      kind: 'ManifestWork',
      object: { ...metadata('new', { labels: { [workLabel]: 'new' } }), ...workOf(moduleManifest, secretManifest) },
    },
  },
  'ManifestWork.spec': {
    may: ['hub'],
    policy: ['work', 'ocm'],
    try: { change: `${works}/demo`, to: workOf({ ...moduleManifest, spec: moduleSpec }) },
  },
  'a label of a ManifestWork': {
    may: ['hub'],
    policy: ['work', 'ocm'],
    try: { change: `${works}/demo`, to: { metadata: { labels: { a: 'b' } } } },
  },
  'an annotation of a ManifestWork': {
    may: ['hub'],
    policy: ['work', 'ocm'],
    try: { change: `${works}/demo`, to: { metadata: { annotations: { a: 'b' } } } },
  },
  'the label that makes a ManifestWork ours': {
    policy: ['hub', 'work', 'ocm'],
    try: { change: `${works}/demo`, to: { metadata: { labels: { [workLabel]: null } } } },
  },
  'ManifestWork.status': {
    may: ['work', 'ocm'],
    try: { change: `${works}/demo/status`, to: { status: { conditions: [] } } },
  },
  'finalizers of a ManifestWork': {
    may: ['hub', 'work', 'ocm'],
    try: { change: `${works}/demo`, to: { metadata: { finalizers: ['a.example/b'] } } },
  },
  'finalizers of a ManifestWork as large as OCM takes it': {
    may: ['hub', 'work', 'ocm'],
    try: { change: `${works}/large`, to: { metadata: { finalizers: ['a.example/b'] } } },
  },
  'the end of a ManifestWork': { may: ['hub'], try: { remove: `${works}/demo` } },
  'the end of all ManifestWorks of a cluster at once': { try: { remove: works } },
  'the ManifestWork of somebody else': {
    policy: ['hub', 'work', 'ocm'],
    try: { change: `${works}/foreign`, to: workOf(moduleManifest) },
  },
  'the end of somebody else’s ManifestWork': { policy: ['hub'], try: { remove: `${works}/foreign` } },
  'ManagedCluster.spec': { try: { change: `${clusters}/spoke-a`, to: { spec: { leaseDurationSeconds: 1 } } } },
  'a label of a ManagedCluster': { try: { change: `${clusters}/spoke-a`, to: { metadata: { labels: { a: 'b' } } } } },
  'ManagedCluster.status': {
    may: ['work'],
    try: { change: `${clusters}/spoke-a/status`, to: { status: { version: { kubernetes: 'v1' } } } },
  },
  'the end of a ManagedCluster': { try: { remove: `${clusters}/spoke-a` } },
  'the lease of a cluster': {
    may: ['work'],
    try: { change: `${leases}/managed-cluster-lease`, to: { spec: { leaseDurationSeconds: 60 } } },
  },
  'the end of the lease of a cluster': { try: { remove: `${leases}/managed-cluster-lease` } },
  'another lease of a cluster': {
    policy: ['work'],
    try: { create: leases, kind: 'Lease', object: metadata('another') },
  },
  'the lease of the hub that leads': {
    may: ['hub'],
    try: { change: `${hubLeases}/kmm-hub.sigs.x-k8s.io`, to: { spec: { holderIdentity: 'another' } } },
  },
  'the first lease of a hub': {
    may: ['hub'],
    try: { create: hubLeases, kind: 'Lease', object: metadata('first') },
  },
  'another lease in the namespace of the hub': {
    try: { change: `${hubLeases}/other`, to: { spec: { holderIdentity: 'another' } } },
  },
  'the end of the lease of the hub that leads': { try: { remove: `${hubLeases}/kmm-hub.sigs.x-k8s.io` } },
  'an Event of the hub’s lease': {
    may: ['hub'],
    try: {
      create: '/api/v1/namespaces/openshift-kmm-hub/events',
      kind: 'Event',
      object: leaseEvent('openshift-kmm-hub'),
    },
  },
  'where the hub’s endpoint is': {
    may: ['hub'],
    try: { change: '/api/v1/namespaces/openshift-kmm-hub/configmaps/kmm-hub-api', to: { data: { url: 'https://e' } } },
  },
  'another ConfigMap of the hub': {
    try: { change: '/api/v1/namespaces/openshift-kmm-hub/configmaps/kube-root-ca.crt', to: { data: { a: 'b' } } },
  },
  'the question whose a token is': {
    may: ['hub'],
    try: {
      create: '/apis/authentication.k8s.io/v1/tokenreviews',
      kind: 'TokenReview',
      object: { metadata: {}, spec: { token: 'a' } },
    },
  },
  'the question what a user may': {
    may: ['hub'],
    try: {
      create: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      kind: 'SubjectAccessReview',
      object: { metadata: {}, spec: { user: 'a', nonResourceAttributes: { path: '/', verb: 'get' } } },
    },
  },
  ClusterInventory: {
    may: ['cluster'],
    try: { change: `${inventories}/spoke-a`, to: { spec: { nodeCount: 2 } } },
  },
  'the end of a ClusterInventory': { try: { remove: `${inventories}/spoke-a` } },
  'the end of all ClusterInventories of a cluster at once': { try: { remove: inventories } },
  'a ClusterInventory of another name': {
    policy: ['cluster'],
    try: {
      create: inventories,
      kind: 'ClusterInventory',
      object: { ...metadata('spoke-b'), spec: inventory },
    },
  },
  'a ClusterInventory in another namespace': {
    policy: ['otherCluster'],
    try: {
      create: `${hubApi}/namespaces/spoke-b/clusterinventories`,
      kind: 'ClusterInventory',
      object: { ...metadata('spoke-a'), spec: inventory },
    },
  },
  'the Dockerfile of a module': {
    try: {
      change: '/api/v1/namespaces/openshift-kmm-hub/configmaps/dockerfile',
      to: { data: { dockerfile: 'FROM b' } },
    },
  },
  'a Secret of the hub': {
    try: { change: '/api/v1/namespaces/openshift-kmm-hub/secrets/key', to: { data: { key: '' } } },
  },
  'more rights': { try: { create: bindings, kind: 'ClusterRoleBinding', object: clusterAdmin } },
};

const hubReads: Table<HubActor> = {
  'a Secret of the hub': { may: ['worker'], try: { read: '/api/v1/namespaces/openshift-kmm-hub/secrets/key' } },
  'all Secrets of the hub': { may: ['worker'], try: { read: '/api/v1/namespaces/openshift-kmm-hub/secrets' } },
  'all Secrets of all namespaces': { try: { read: '/api/v1/secrets' } },
  'a Secret in the namespace of a cluster': { try: { read: '/api/v1/namespaces/spoke-a/secrets/key' } },
  'all Secrets in the namespace of a cluster': { try: { read: '/api/v1/namespaces/spoke-a/secrets' } },
  'a Dockerfile': {
    may: ['hub', 'worker'],
    try: { read: '/api/v1/namespaces/openshift-kmm-hub/configmaps/dockerfile' },
  },
  'the ManifestWorks of a cluster': { may: ['hub', 'work', 'ocm'], try: { read: works } },
  'the ClusterInventory of a cluster': {
    may: ['hub', 'cluster'],
    try: { read: `${inventories}/spoke-a` },
  },
  'all ManagedClusters': { may: ['hub'], try: { read: clusters } },
};

const changeNode = (to: Json): Try => ({ change: '/api/v1/nodes/node-1', to });
/** Beside those that the node controller has set. */
const taint = (key: string): Try => ({
  change: '/api/v1/nodes/node-1',
  to: ({ spec }) => ({
    spec: { taints: [...(((spec as Json).taints ?? []) as Json[]), { key, effect: 'NoSchedule' }] },
  }),
});
const nodeLabel = (key: string): Try => changeNode({ metadata: { labels: { [key]: 'x' } } });

const spokeTable: Table<SpokeActor> = {
  'Module.spec': {
    may: ['work'],
    policy: ['cluster'],
    try: { change: `${modules}/demo`, to: { spec: { selector: { c: 'd' } } } },
  },
  'Module.status': {
    may: ['cluster'],
    try: { change: `${modules}/demo/status`, to: { status: { observedGeneration: 1 } } },
  },
  'finalizers of a Module': {
    may: ['cluster', 'work'],
    try: { change: `${modules}/demo`, to: { metadata: { finalizers: ['a.example/b'] } } },
  },
  'the end of a Module': { may: ['work'], try: { remove: `${modules}/demo` } },
  'the end of all Modules of a namespace at once': { try: { remove: modules } },
  'NodeModulesConfig.spec': { may: ['cluster'], try: { change: `${nmcs}/node-1`, to: { spec: { modules: [] } } } },
  'a new NodeModulesConfig': {
    may: ['cluster'],
    try: { create: nmcs, kind: 'NodeModulesConfig', object: metadata('node-3') },
  },
  'the end of a NodeModulesConfig': { may: ['cluster'], try: { remove: `${nmcs}/node-1` } },
  'the end of all NodeModulesConfigs at once': { try: { remove: nmcs } },
  'NodeModulesConfig.status of its own node': {
    may: ['node'],
    policy: ['unboundNode'],
    try: { change: `${nmcs}/node-1/status`, to: { status: { modules: [] } } },
  },
  'NodeModulesConfig.status of another node': {
    policy: ['node', 'unboundNode'],
    try: { change: `${nmcs}/node-2/status`, to: { status: { modules: [] } } },
  },
  'a new NodeFeature of its own node': {
    may: ['node'],
    policy: ['unboundNode'],
    try: { create: features, kind: 'NodeFeature', object: metadata('node-1', { labels: ofNode('node-1') }) },
  },
  'a new NodeFeature of another node': {
    policy: ['node', 'unboundNode'],
    try: { create: features, kind: 'NodeFeature', object: metadata('node-3', { labels: ofNode('node-3') }) },
  },
  'a new NodeFeature that speaks for another node': {
    policy: ['node', 'unboundNode'],
    try: { create: features, kind: 'NodeFeature', object: metadata('node-1', { labels: ofNode('node-2') }) },
  },
  'a new NodeFeature that speaks for no node': {
    policy: ['node', 'unboundNode'],
    try: { create: features, kind: 'NodeFeature', object: metadata('node-1') },
  },
  'the NodeFeature of another node': {
    policy: ['node', 'unboundNode'],
    try: { change: `${features}/node-2`, to: { spec: { labels: { a: 'b' } } } },
  },
  'a NodeFeature in another namespace': {
    try: {
      create: '/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/default/nodefeatures',
      kind: 'NodeFeature',
      object: metadata('node-1', { labels: ofNode('node-1') }),
    },
  },
  'the end of the NodeFeature of another node': { try: { remove: `${features}/node-2` } },
  'the end of all NodeFeatures at once': { try: { remove: features } },
  'the NodeResourceTopology of its own node': {
    may: ['node'],
    policy: ['unboundNode'],
    try: { change: `${topologies}/node-1`, to: { attributes: [{ name: 'a', value: 'b' }] } },
  },
  'a new NodeResourceTopology of another node': {
    policy: ['node', 'unboundNode'],
    try: { create: topologies, kind: 'NodeResourceTopology', object: { ...metadata('node-3'), zones: [] } },
  },
  'the NodeResourceTopology of another node': {
    policy: ['node', 'unboundNode'],
    try: { change: `${topologies}/node-2`, to: { attributes: [{ name: 'a', value: 'b' }] } },
  },
  'the end of the NodeResourceTopology of its own node': { try: { remove: `${topologies}/node-1` } },
  'the end of all NodeResourceTopologies at once': { try: { remove: topologies } },
  'a ready label of a Node': { may: ['cluster'], try: nodeLabel('kmm.node.kubernetes.io/openshift-kmm.demo.ready') },
  'a feature label of a Node': { may: ['cluster'], try: nodeLabel('feature.node.kubernetes.io/cpu-cpuid.AVX') },
  'a vendor’s feature label of a Node': { may: ['cluster'], try: nodeLabel('vendor.example/board') },
  'the record of feature labels of a Node': {
    may: ['cluster'],
    try: changeNode({ metadata: { annotations: { 'nfd.node.kubernetes.io/feature-labels': 'a' } } }),
  },
  'a feature taint of a Node': { may: ['cluster'], try: taint('feature.node.kubernetes.io/gpu') },
  'another taint of a Node': { policy: ['cluster'], try: taint('node.kubernetes.io/unschedulable') },
  'removing a taint that somebody else set': {
    policy: ['cluster'],
    try: { change: '/api/v1/nodes/node-2', to: { spec: { taints: [] } } },
  },
  'the role of a Node': { policy: ['cluster'], try: nodeLabel('node-role.kubernetes.io/control-plane') },
  'a label of a Node without prefix': { policy: ['cluster'], try: nodeLabel('plain') },
  'the version label of a Node, which an administrator sets': {
    policy: ['cluster'],
    try: nodeLabel('kmm.node.kubernetes.io/version-module.openshift-kmm.demo'),
  },
  'removing a label that the kubelet set': {
    policy: ['cluster'],
    try: changeNode({ metadata: { labels: { 'kubernetes.io/hostname': null } } }),
  },
  'another annotation of a Node': {
    policy: ['cluster'],
    try: changeNode({
      metadata: { annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'false' } },
    }),
  },
  'cordoning a Node': { policy: ['cluster'], try: changeNode({ spec: { unschedulable: true } }) },
  'Node.status': { try: { change: '/api/v1/nodes/node-1/status', to: { status: { capacity: { cpu: '99' } } } } },
  'the end of a Node': { try: { remove: '/api/v1/nodes/node-1' } },
  'the end of all Nodes at once': { try: { remove: '/api/v1/nodes' } },
  'the label of a Namespace that has Modules': {
    may: ['cluster', 'work'],
    try: {
      change: '/api/v1/namespaces/tenant',
      to: { metadata: { labels: { 'kmm.node.k8s.io/contains-modules': '' } } },
    },
  },
  'the pod security of a Namespace': {
    may: ['work'],
    policy: ['cluster'],
    try: {
      change: '/api/v1/namespaces/tenant',
      to: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
    },
  },
  'the ClusterClaim of kernels': {
    may: ['cluster'],
    try: { change: `${claims}/kernel-versions.kmm.node.kubernetes.io`, to: { spec: { value: '6.1.0' } } },
  },
  'another new ClusterClaim': {
    policy: ['cluster'],
    try: { create: claims, kind: 'ClusterClaim', object: { ...metadata('id.k8s.io'), spec: { value: 'x' } } },
  },
  'another ClusterClaim': { try: { change: `${claims}/other`, to: { spec: { value: 'x' } } } },
  'the end of the ClusterClaim of kernels': {
    may: ['cluster'],
    try: { remove: `${claims}/kernel-versions.kmm.node.kubernetes.io` },
  },
  'the end of another ClusterClaim': { try: { remove: `${claims}/other` } },
  'the end of all ClusterClaims at once': { try: { remove: claims } },
  // OCM's work agent is Kubernetes' `admin` in every namespace, which covers leases.
  'the lease of the cluster agent that leads': {
    may: ['cluster', 'work'],
    try: { change: `${spokeLeases}/kmm.sigs.x-k8s.io`, to: { spec: { holderIdentity: 'another' } } },
  },
  'the first lease of a cluster agent': {
    may: ['cluster', 'work'],
    try: { create: spokeLeases, kind: 'Lease', object: metadata('first') },
  },
  'another lease in the namespace of the operator': {
    may: ['work'],
    try: { change: `${spokeLeases}/other`, to: { spec: { holderIdentity: 'another' } } },
  },
  'an Event of the cluster agent’s lease': {
    may: ['cluster', 'work'],
    try: { create: '/api/v1/namespaces/openshift-kmm/events', kind: 'Event', object: leaseEvent('openshift-kmm') },
  },
  'an Event of a Node': {
    may: ['cluster', 'work'],
    try: {
      create: '/api/v1/namespaces/default/events',
      kind: 'Event',
      object: { ...metadata('told'), involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'node-1' } },
    },
  },
  AppliedManifestWork: {
    may: ['work'],
    try: {
      create: '/apis/work.open-cluster-management.io/v1/appliedmanifestworks',
      kind: 'AppliedManifestWork',
      object: metadata('a'),
    },
  },
  'more rights': { try: { create: bindings, kind: 'ClusterRoleBinding', object: clusterAdmin } },
};

const spokeReads: Table<SpokeActor> = {
  // OCM's work agent is Kubernetes' `admin` in every namespace: a hub that may apply anything there may read it, too.
  'a Secret of the operator’s namespace': {
    may: ['work'],
    try: { read: '/api/v1/namespaces/openshift-kmm/secrets/key' },
  },
  'a Secret where kmm-spoke-node-pull-secrets is bound': {
    may: ['work', 'node', 'unboundNode'],
    try: { read: '/api/v1/namespaces/tenant/secrets/key' },
  },
  'all Secrets of a namespace': { may: ['work'], try: { read: '/api/v1/namespaces/tenant/secrets' } },
};

type Caller = { plane: ControlPlane; token?: string; certificate?: { certPem: string; keyPem: string } };
type Callers<Actor extends string> = Record<Actor, Caller>;
let folder: string;
let hub: ControlPlane;
let spoke: ControlPlane;
let onHub: Callers<HubActor>;
let onSpoke: Callers<SpokeActor>;
const admins = new Map<ControlPlane, Caller>();
const agents = new Map<Caller, Agent>();

beforeAll(async () => {
  folder = await runFolder('test-roles');
  const context = { folder, disposables, signal };
  [hub, spoke] = await Promise.all([startHubPlane(context), startSpokePlane('spoke-a', context)]);
  for (const name of ['spoke-a', 'spoke-b']) {
    const place = join(folder, `accepted-${name}`);
    await mkdir(place);
    await acceptCluster({ hub, spoke: { ...spoke, name, folder: place } }, {}, context);
  }
  const apply = (plane: ControlPlane, objects: Json[]) =>
    plane.kubectl(['create', '--filename=-'], {
      input: objects.map((object) => JSON.stringify(object)).join('\n---\n'),
    });
  await apply(hub, hubObjects);
  await apply(spoke, spokeObjects);
  for (const plane of [hub, spoke]) {
    const certificate = await plane.issueClientCertificate({ commonName: 'test', organizations: ['system:masters'] });
    admins.set(plane, { plane, certificate });
  }
  const account = async (plane: ControlPlane, namespace: string, serviceAccount: string): Promise<Caller> => ({
    plane,
    token: await tokenFor({ plane, namespace, serviceAccount }),
  });
  onHub = {
    hub: await account(hub, 'openshift-kmm-hub', 'kmm-operator-hub-controller'),
    worker: await account(hub, 'openshift-kmm-hub', 'kmm-operator-hub-worker'),
    cluster: await account(hub, 'spoke-a', 'kmm-spoke-cluster'),
    work: await account(hub, 'spoke-a', 'work-agent'),
    otherCluster: await account(hub, 'spoke-b', 'kmm-spoke-cluster'),
    otherWork: await account(hub, 'spoke-b', 'work-agent'),
    ocm: { plane: hub, certificate: await hub.issueClientCertificate(ocmAgent) },
  };
  const uid = await spoke.kubectl(['get', 'node', 'node-1', '--output=jsonpath={.metadata.uid}']);
  const nodeAccount = { plane: spoke, namespace: 'openshift-kmm', serviceAccount: 'kmm-spoke-node' };
  onSpoke = {
    cluster: await account(spoke, 'openshift-kmm', 'kmm-operator-controller'),
    work: await account(spoke, 'open-cluster-management-agent', 'klusterlet-work-sa'),
    node: { plane: spoke, token: await tokenFor({ ...nodeAccount, boundNode: { name: 'node-1', uid } }) },
    unboundNode: { plane: spoke, token: await tokenFor(nodeAccount) },
  };
});
afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.destroy()));
  await disposables.stopAll();
  await rm(folder, { recursive: true, force: true });
});

describe('on the hub', () => {
  test.each(rows(hubTable))('%s: %s may write', (_what, _who, row) => expectRow(row, hubActors, onHub));
  test.each(rows(hubReads))('%s: %s may read', (_what, _who, row) => expectRow(row, hubActors, onHub));

  test('no agent of a spoke is known there by the token of its own cluster', async () => {
    const foreign = Object.values(onSpoke).map((caller) =>
      send({ ...caller, plane: hub }, { method: 'GET', path: works }),
    );
    expect((await Promise.all(foreign)).map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  test('a refusal says what to do', async () => {
    const answer = await send(onHub.work, {
      method: 'PATCH',
      path: `${works}/demo`,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(answer).toMatchObject({
      status: 403,
      message: expect.stringMatching(
        /denied request: the agents of a cluster may write only status and finalizers of a ManifestWork; change it on the hub$/,
      ),
    });
  });
});

describe('on a spoke', () => {
  test.each(rows(spokeTable))('%s: %s may write', (_what, _who, row) => expectRow(row, spokeActors, onSpoke));
  test.each(rows(spokeReads))('%s: %s may read', (_what, _who, row) => expectRow(row, spokeActors, onSpoke));

  test('a status that the cluster agent writes past the status subresource is dropped', async () => {
    const body = {
      ...{ apiVersion: apiVersionOf(nmcs), kind: 'NodeModulesConfig', ...metadata('node-3') },
      status: { modules: [{ name: 'a', namespace: 'b', serviceAccountName: 'c' }] },
    };
    const { status, object } = await send(onSpoke.cluster, { method: 'POST', path: nmcs, body });
    expect([status, object.status]).toEqual([201, undefined]);
  });
});

/** For a title: what, who alone may do it, and the row itself. */
function rows<Actor extends string>(table: Table<Actor>): [string, string, Row<Actor>][] {
  return Object.entries(table).map(([what, row]) => [what, row.may?.join(', ') ?? 'nobody', row]);
}

/** Whole rows are compared, so a failure shows who got what. Polled, as an API server takes policies up a moment later. */
async function expectRow<Actor extends string>(row: Row<Actor>, actors: readonly Actor[], callers: Callers<Actor>) {
  const wanted = (actor: Actor) =>
    row.may?.includes(actor) ? 'allowed' : row.policy?.includes(actor) ? 'refused by policy' : 'refused by role';
  const outcomes = async () => {
    const entries = actors.map(async (actor) => [actor, await outcomeOf(callers[actor], row.try)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const options = { timeout: 10_000, interval: 250 };
  await expect.poll(outcomes, options).toEqual(Object.fromEntries(actors.map((actor) => [actor, wanted(actor)])));
}

async function outcomeOf(caller: Caller, attempt: Try): Promise<string> {
  if ('read' in attempt) return outcome(await send(caller, { method: 'GET', path: attempt.read }));
  if ('remove' in attempt) return outcome(await send(caller, { method: 'DELETE', path: attempt.remove }));
  if ('create' in attempt) {
    const { create: path, kind, object } = attempt;
    const body = { apiVersion: apiVersionOf(path), kind, ...object };
    return outcome(await send(caller, { method: 'POST', path, body }));
  }
  const { change: path, to } = attempt;
  const live = await send(admins.get(caller.plane) as Caller, { method: 'GET', path });
  const patch = typeof to === 'function' ? to(live.object) : to;
  const patched = await send(caller, { method: 'PATCH', path, body: patch });
  const replaced = await send(caller, { method: 'PUT', path, body: merged(live.object, patch) });
  const both = [outcome(patched), outcome(replaced)];
  const order = ['allowed', 'refused by policy', 'refused by role'];
  return both.find((one) => !order.includes(one)) ?? order.find((one) => both.includes(one)) ?? '';
}

/** `/apis/<group>/<version>/…` or `/api/v1/…` */
function apiVersionOf(path: string): string {
  const [, root, group = '', version = ''] = path.split('/');
  return root === 'api' ? group : `${group}/${version}`;
}

type Answer = { status: number; message: string; object: Json };

/** Whatever is neither yes nor no, such as a 404 or a 422, is shown as it is: the row itself is wrong then. */
function outcome({ status, message }: Answer): string {
  if (status < 300) return 'allowed';
  if (status !== 403) return `${status}: ${message}`;
  return message.includes('ValidatingAdmissionPolicy') ? 'refused by policy' : 'refused by role';
}

type Call = { method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'; path: string; body?: Json };

async function send(caller: Caller, { method, path, body }: Call): Promise<Answer> {
  const { plane, token } = caller;
  const answer = await request(`${plane.url}${path}${method === 'GET' ? '' : '?dryRun=All'}`, {
    dispatcher: agentOf(caller),
    method,
    signal,
    headers: {
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const object = (await answer.body.json()) as Json;
  return { status: answer.statusCode, message: String(object.message ?? ''), object };
}

function agentOf(caller: Caller): Agent {
  const known = agents.get(caller);
  if (known !== undefined) return known;
  const { plane, certificate } = caller;
  const identity = certificate && { cert: certificate.certPem, key: certificate.keyPem };
  const agent = new Agent({ connect: { ca: plane.caPem, ...identity } });
  agents.set(caller, agent);
  return agent;
}

/** A merge patch (RFC 7396) applied here, for the PUT of the same change. */
function merged(live: unknown, patch: unknown): Json {
  const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
  const result: Json = isMap(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(patch as Json)) {
    if (value === null) delete result[key];
    else result[key] = isMap(value) ? merged(result[key], value) : value;
  }
  return result;
}

const secretIn = (namespace: string): Json => ({ apiVersion: 'v1', kind: 'Secret', ...metadata('key', { namespace }) });
const leaseIn = (namespace: string, name: string): Json => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  ...metadata(name, { namespace }),
});
const ours = { apiVersion: 'hub.kmm.sigs.x-k8s.io/v1alpha1' };
const work = (name: string, manifest: Json, labels: Json): Json => ({
  apiVersion: 'work.open-cluster-management.io/v1',
  kind: 'ManifestWork',
  ...metadata(name, { namespace: 'spoke-a', labels }),
  ...workOf(manifest),
});

/** As an OCM hub binds its agents (OCM's registration controller, role …:managedcluster:work). */
const ocmAgent = {
  commonName: 'system:open-cluster-management:spoke-a:agent',
  organizations: ['system:open-cluster-management:spoke-a', 'system:open-cluster-management:managed-clusters'],
};
const ocmRole: Json[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    ...metadata('ocm-work', { namespace: 'spoke-a' }),
    rules: [
      {
        apiGroups: ['work.open-cluster-management.io'],
        resources: ['manifestworks', 'manifestworks/status'],
        verbs: ['get', 'list', 'watch', 'update', 'patch'],
      },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    ...metadata('ocm-work', { namespace: 'spoke-a' }),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'ocm-work' },
    subjects: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:open-cluster-management:spoke-a' },
    ],
  },
];

/** Comparing it costs a policy something, and the API server ends what costs too much. */
const kernelMappings = Array.from({ length: 1000 }, (_, at) => ({
  literal: `6.1.${at}`,
  containerImage: 'x'.repeat(480),
}));
const largeManifest: Json = { ...moduleManifest, spec: { moduleLoader: { container: { kernelMappings } } } };

const hubObjects: Json[] = [
  ...ocmRole,
  secretIn('openshift-kmm-hub'),
  secretIn('spoke-a'),
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    ...metadata('dockerfile', { namespace: 'openshift-kmm-hub' }),
    data: { dockerfile: 'FROM a' },
  },
  { ...ours, kind: 'ModuleImage', ...metadata('a'), spec: imageSpec },
  { ...ours, kind: 'ClusterInventory', ...metadata('spoke-a', { namespace: 'spoke-a' }), spec: inventory },
  {
    apiVersion: 'hub.kmm.sigs.x-k8s.io/v1beta1',
    kind: 'ManagedClusterModule',
    ...metadata('demo'),
    spec: { spokeNamespace: 'openshift-kmm', selector: {}, moduleSpec },
  },
  leaseIn('spoke-a', 'managed-cluster-lease'),
  leaseIn('openshift-kmm-hub', 'kmm-hub.sigs.x-k8s.io'),
  leaseIn('openshift-kmm-hub', 'other'),
  work('demo', moduleManifest, { [workLabel]: 'demo' }),
  work('foreign', secretManifest, {}),
  work('large', largeManifest, { [workLabel]: 'large' }),
];

const nodeObjects = (name: string): Json[] => [
  {
    apiVersion: 'v1',
    kind: 'Node',
    ...metadata(name, { labels: { 'kubernetes.io/hostname': name } }),
    spec: { taints: [{ key: 'example.com/theirs', effect: 'NoSchedule' }] },
  },
  { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'NodeModulesConfig', ...metadata(name) },
  { apiVersion: 'topology.node.k8s.io/v1alpha2', kind: 'NodeResourceTopology', ...metadata(name), zones: [] },
];
const claim = (name: string): Json => ({
  apiVersion: 'cluster.open-cluster-management.io/v1alpha1',
  kind: 'ClusterClaim',
  ...metadata(name),
  spec: { value: 'y' },
});
const spokeObjects: Json[] = [
  ...['node-1', 'node-2'].flatMap(nodeObjects),
  {
    apiVersion: 'nfd.k8s-sigs.io/v1alpha1',
    kind: 'NodeFeature',
    ...metadata('node-2', { namespace: 'openshift-kmm', labels: ofNode('node-2') }),
    spec: {},
  },
  { ...moduleManifest, ...metadata('demo', { namespace: 'openshift-kmm' }), spec: moduleSpec },
  claim('kernel-versions.kmm.node.kubernetes.io'),
  claim('other'),
  { apiVersion: 'v1', kind: 'Namespace', ...metadata('tenant') },
  leaseIn('openshift-kmm', 'kmm.sigs.x-k8s.io'),
  leaseIn('openshift-kmm', 'other'),
  secretIn('tenant'),
  secretIn('openshift-kmm'),
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    ...metadata('pull-secrets', { namespace: 'tenant' }),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kmm-spoke-node-pull-secrets' },
    subjects: [{ kind: 'ServiceAccount', name: 'kmm-spoke-node', namespace: 'openshift-kmm' }],
  },
];
