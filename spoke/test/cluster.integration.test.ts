import {
  CONTAINS_MODULES_LABEL,
  clusterClaim,
  clusterInventory,
  KERNEL_VERSIONS_CLAIM,
  type KubeObject,
  kubeEvent,
  MODULE_FINALIZER,
  MODULE_LOADER_SERVICE_ACCOUNT,
  moduleConfiguredLabel,
  moduleInUseLabel,
  NODE_NAME_LABEL,
  namespace,
  node,
  nodeFeature,
  nodeModulesConfig,
  nodeResourceTopology,
  type Resource,
  readyLabel,
} from '@kmm-hub/api-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CLUSTER,
  type ClusterWorld,
  eventually,
  joinNode,
  KERNEL,
  moduleOf,
  modules,
  NAMESPACE,
  nodeOf,
  signal,
  startClusterWorld,
} from './cluster-world.ts';

describe('the cluster agent under its shipped roles, on a real API server', () => {
  let world: ClusterWorld;
  beforeAll(async () => {
    world = await startClusterWorld();
  });
  afterAll(() => world?.stop());

  const read = <T extends KubeObject>(resource: Resource<T>, name: string, inNamespace?: string) => {
    const ref = { name, ...(inNamespace !== undefined && { namespace: inNamespace }) };
    return world.admin.getIfPresent(resource, ref, signal);
  };
  const configOf = (name: string) => read(nodeModulesConfig, name);
  const labelsOf = async (name: string) => (await read(node, name))?.metadata.labels ?? {};

  test('a selected node is told what to load, and its report becomes labels and numbers', async () => {
    const created = await joinNode(world.admin, nodeOf('load-1', { gpu: 'load' }));
    await joinNode(world.admin, nodeOf('load-2', { gpu: 'none' }));
    await world.admin.create(modules, moduleOf('load', { gpu: 'load' }), signal);

    const config = await eventually(
      () => configOf('load-1'),
      (found) => found !== undefined,
    );
    expect(config?.metadata).toMatchObject({
      labels: { [moduleConfiguredLabel(NAMESPACE, 'load')]: '', [moduleInUseLabel(NAMESPACE, 'load')]: '' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'load-1', uid: created.metadata.uid }],
    });
    expect(config?.spec?.modules).toMatchObject([
      {
        ...{ namespace: NAMESPACE, name: 'load', serviceAccountName: MODULE_LOADER_SERVICE_ACCOUNT },
        config: {
          ...{ kernelVersion: KERNEL, containerImage: `registry.example.com/load:${KERNEL}`, insecurePull: false },
          ...{ imagePullPolicy: 'IfNotPresent', modprobe: { moduleName: 'load', dirName: '/opt' } },
        },
      },
    ]);

    await world.reportLoaded('load-1');
    const module = await eventually(
      () => read(modules, 'load', NAMESPACE),
      (found) => found?.status?.moduleLoader?.availableNumber === 1,
    );
    expect(module?.metadata.finalizers).toEqual([MODULE_FINALIZER]);
    expect(module?.status).toEqual({
      observedGeneration: 1,
      moduleLoader: { nodesMatchingSelectorNumber: 1, desiredNumber: 1, availableNumber: 1 },
    });
    await eventually(
      () => labelsOf('load-1'),
      (labels) => labels[readyLabel(NAMESPACE, 'load')] === '',
    );
    await eventually(
      () => read(namespace, NAMESPACE),
      (found) => found?.metadata.labels?.[CONTAINS_MODULES_LABEL] === '',
    );
    expect(await configOf('load-2')).toBeUndefined();
  });

  test('a Module whose service account may not load modules says so, with an Event, and loads nothing', async () => {
    await joinNode(world.admin, nodeOf('refused-1', { gpu: 'refused' }));
    await world.admin.create(modules, moduleOf('refused', { gpu: 'refused' }, { namespace: 'other' }), signal);
    const module = await eventually(
      () => read(modules, 'refused', 'other'),
      (found) => found?.status?.degraded !== undefined,
    );
    expect(module?.status).toEqual({
      observedGeneration: 1,
      moduleLoader: { nodesMatchingSelectorNumber: 1, desiredNumber: 0, availableNumber: 0 },
      degraded: {
        reason: 'ServiceAccountNotAllowed',
        message: expect.stringContaining('service account other/default may not load kernel modules; allow it `use`'),
      },
    });
    const events = await eventually(
      async () => (await world.admin.list(kubeEvent, { namespace: 'other' }, signal)).items,
      (items) => items.length > 0,
    );
    expect(events).toMatchObject([
      { type: 'Warning', reason: 'ServiceAccountNotAllowed', involvedObject: { kind: 'Module', name: 'refused' } },
    ]);
    expect(await configOf('refused-1')).toBeUndefined();
  });

  test('a Module that fails on a node tells the first failure, until it is loaded', async () => {
    await joinNode(world.admin, nodeOf('failing-1', { gpu: 'failing' }));
    await world.admin.create(modules, moduleOf('failing', { gpu: 'failing' }), signal);
    const config = await eventually(
      () => configOf('failing-1'),
      (found) => found !== undefined,
    );
    const error = { reason: 'ImageNotFound', message: 'registry.example.com/failing is not there' };
    const failed = (config?.spec?.modules ?? []).map(({ config: _, ...entry }) => ({ ...entry, error }));
    await world.reportModules('failing-1', failed);
    const degraded = await eventually(
      async () => (await read(modules, 'failing', NAMESPACE))?.status?.degraded,
      (found) => found !== undefined,
    );
    expect(degraded).toEqual({ reason: 'ImageNotFound', message: `node failing-1: ${error.message}` });
    await world.reportLoaded('failing-1');
    await eventually(
      async () => (await read(modules, 'failing', NAMESPACE))?.status,
      (status) => status?.degraded === undefined && status?.moduleLoader?.availableNumber === 1,
    );
  });

  test('a deleted Module waits until its last node has unloaded it, and leaves nothing behind', async () => {
    await joinNode(world.admin, nodeOf('gone-1', { gpu: 'gone' }));
    await world.admin.create(namespace, { metadata: { name: 'gone' } }, signal);
    await allow('gone', 'loader');
    const place = { namespace: 'gone', serviceAccountName: 'loader' };
    await world.admin.create(modules, moduleOf('gone', { gpu: 'gone' }, place), signal);
    await world.reportLoaded('gone-1');
    await eventually(
      () => labelsOf('gone-1'),
      (labels) => labels[readyLabel('gone', 'gone')] === '',
    );

    await world.admin.delete(modules, { namespace: 'gone', name: 'gone' }, signal);
    const unloading = await eventually(
      () => configOf('gone-1'),
      (found) => found?.spec?.modules?.length === 0,
    );
    expect(unloading?.metadata.labels).toEqual({ [moduleInUseLabel('gone', 'gone')]: '' });
    expect((await read(modules, 'gone', 'gone'))?.metadata.finalizers).toEqual([MODULE_FINALIZER]);

    await world.reportModules('gone-1', []);
    await eventually(
      () => Promise.all([read(modules, 'gone', 'gone'), configOf('gone-1')]),
      (left) => left.every((object) => object === undefined),
    );
    await eventually(
      () => labelsOf('gone-1'),
      (labels) => !(readyLabel('gone', 'gone') in labels),
    );
    await eventually(
      () => read(namespace, 'gone'),
      (found) => found?.metadata.labels?.[CONTAINS_MODULES_LABEL] === undefined,
    );
  });

  test('a NodeFeature becomes labels of its node, and one that speaks for another node is not believed', async () => {
    await joinNode(world.admin, nodeOf('features-1', { mine: 'stays' }));
    const feature = (name: string, labels: Record<string, string>) => ({
      metadata: { name, namespace: NAMESPACE, labels: { [NODE_NAME_LABEL]: 'features-1' } },
      spec: { labels },
    });
    await world.admin.create(nodeFeature, feature('intruder', { 'pci-evil': 'true' }), signal);
    const wanted = { 'cpu-model': '7', 'feature.node.kubernetes.io/custom': 'x', 'node-role.kubernetes.io/master': '' };
    const own = await world.admin.create(nodeFeature, feature('features-1', { ...wanted, 'bad key': '1' }), signal);
    const featureLabels = { 'feature.node.kubernetes.io/cpu-model': '7', 'feature.node.kubernetes.io/custom': 'x' };
    const labels = await eventually(
      () => labelsOf('features-1'),
      (found) => Object.keys(found).length > 1,
    );
    expect(labels).toEqual({ mine: 'stays', ...featureLabels });
    const metrics = await world.metrics();
    expect(metrics).toContain('kmm_hub_feature_labels_dropped{reason="denied"} 1');
    expect(metrics).toContain('kmm_hub_feature_labels_dropped{reason="invalid"} 1');

    await world.admin.delete(nodeFeature, { name: own.metadata.name, namespace: NAMESPACE }, signal);
    expect(
      await eventually(
        () => labelsOf('features-1'),
        (found) => Object.keys(found).length === 1,
      ),
    ).toEqual({ mine: 'stays' });
  });

  test('the claim lists the kernels of all nodes, and comes back when somebody changes it', async () => {
    const kernel = '5.14.0-427.el9.aarch64+64k';
    await joinNode(world.admin, nodeOf('claim-1', {}, kernel));
    const value = async () => (await read(clusterClaim, KERNEL_VERSIONS_CLAIM))?.spec?.value?.split('\n') ?? [];
    await eventually(value, (kernels) => kernels.includes(kernel));
    const patch = { ref: { name: KERNEL_VERSIONS_CLAIM }, patch: { spec: { value: 'nonsense' } } };
    await world.admin.patch(clusterClaim, patch, signal);
    await eventually(value, (kernels) => kernels.includes(kernel) && !kernels.includes('nonsense'));
    await world.admin.delete(node, { name: 'claim-1' }, signal);
    await eventually(value, (kernels) => !kernels.includes(kernel));
  });

  test('the inventory on the hub tells what a node is, what its NUMA zones hold and what it has loaded', async () => {
    const kernel = '6.12.9+deb12-amd64';
    const prefixed = { 'feature.node.kubernetes.io/system-os_release.ID': 'debian' };
    const secureboot = { elements: { enabled: 'true' } };
    const owner = { name: 'inventory-1', labels: { [NODE_NAME_LABEL]: 'inventory-1' } };
    const features = { attributes: { 'system.secureboot': secureboot } };
    const labels = { 'system-os_release.ID': 'debian' };
    await world.admin.create(
      nodeFeature,
      { metadata: { ...owner, namespace: NAMESPACE }, spec: { features, labels } },
      signal,
    );
    const cpu = { name: 'cpu', capacity: '2', allocatable: '2', available: '1' };
    const zones = [{ name: 'node-0', type: 'Node', resources: [cpu] }];
    await world.admin.create(nodeResourceTopology, { metadata: { name: 'inventory-1' }, zones }, signal);
    await joinNode(world.admin, nodeOf('inventory-1', { gpu: 'inventory', ...prefixed }, kernel));
    await world.admin.create(modules, moduleOf('inventory', { gpu: 'inventory' }), signal);
    await world.reportLoaded('inventory-1');
    const groupOf = async () => {
      const inventory = await read(clusterInventory, CLUSTER, CLUSTER);
      return inventory?.spec?.groups.find((group) => group.kernelVersion === kernel);
    };
    const group = await eventually(groupOf, (found) => found?.modules?.[0]?.state === 'Loaded');
    const image = 'registry.example.com/inventory:6.12.9_deb12-amd64';
    expect(group).toEqual({
      ...{ kernelVersion: kernel, architecture: 'amd64', osImage: 'Debian GNU/Linux 12 (bookworm)', secureBoot: true },
      ...{ count: 1, nodes: ['inventory-1'], features: labels },
      zones: [{ name: 'node-0', resources: { cpu: '2' } }],
      modules: [{ name: `${NAMESPACE}/inventory`, image, state: 'Loaded', count: 1 }],
    });
  });

  test('a Node tells in Events what it has loaded and unloaded, and a restart of the agent repeats nothing', async () => {
    await joinNode(world.admin, nodeOf('told-1', { gpu: 'told' }));
    await world.admin.create(modules, moduleOf('told', { gpu: 'told' }), signal);
    await world.reportLoaded('told-1');
    const told = (number: number) =>
      eventually(
        async () => {
          const { items } = await world.admin.list(kubeEvent, { namespace: 'default' }, signal);
          const ofNode = items.filter(({ involvedObject: { kind, name } }) => `${kind} ${name}` === 'Node told-1');
          return ofNode
            .map(({ metadata: { annotations }, type, reason, message, count }) =>
              [count, type, reason, annotations?.module, message].join(' '),
            )
            .sort();
        },
        (events) => events.length >= number,
      );
    const loaded = `1 Normal ModuleLoaded ${NAMESPACE}/told Module ${NAMESPACE}/told loaded into the kernel`;
    expect(await told(1)).toEqual([loaded]);
    await world.restartAgent();
    await world.admin.delete(modules, { namespace: NAMESPACE, name: 'told' }, signal);
    await eventually(
      () => configOf('told-1'),
      (found) => found?.spec?.modules?.length === 0, // a pass of the new agent, which has seen what is loaded
    );
    await world.reportModules('told-1', []);
    const unloaded = `1 Normal ModuleUnloaded ${NAMESPACE}/told Module ${NAMESPACE}/told unloaded from the kernel`;
    expect(await told(2)).toEqual([loaded, unloaded]);
  });

  test('a Module with dra is loaded where the API server says that its Kubernetes serves it', async () => {
    await joinNode(world.admin, nodeOf('dra-1', { gpu: 'dra' }));
    const { metadata, spec } = moduleOf('dra', { gpu: 'dra' });
    const dra = { container: { image: 'registry.example.com/driver:1' }, driverName: 'gpu.example.com' };
    await world.admin.create(modules, { metadata, spec: { ...spec, dra } }, signal);
    await world.reportLoaded('dra-1');
    await eventually(
      async () => (await read(modules, 'dra', NAMESPACE))?.status,
      (status) => status?.degraded === undefined && status?.moduleLoader?.availableNumber === 1,
    );
  });

  test('a restart writes nothing that is right already', async () => {
    await joinNode(world.admin, nodeOf('restart-1', { gpu: 'restart' }));
    await world.admin.create(modules, moduleOf('restart', { gpu: 'restart' }), signal);
    await world.reportLoaded('restart-1');
    await eventually(
      async () => (await read(modules, 'restart', NAMESPACE))?.status?.moduleLoader?.availableNumber,
      (available) => available === 1,
    );
    await eventually(
      () => labelsOf('restart-1'),
      (labels) => readyLabel(NAMESPACE, 'restart') in labels,
    );
    const versions = async () => {
      const objects = [read(node, 'restart-1'), read(modules, 'restart', NAMESPACE), configOf('restart-1')];
      return (await Promise.all(objects)).map((object) => object?.metadata.resourceVersion);
    };
    const before = await versions();
    await world.restartAgent();
    await joinNode(world.admin, nodeOf('restart-2', { gpu: 'restart-2' }));
    await world.admin.create(modules, moduleOf('restart-2', { gpu: 'restart-2' }), signal);
    await world.reportLoaded('restart-2'); // what came later is done, so the first pass over everything is too
    await eventually(
      async () => (await read(modules, 'restart-2', NAMESPACE))?.status?.moduleLoader?.availableNumber,
      (available) => available === 1,
    );
    expect(await versions()).toEqual(before);
  });

  /** As a person grants it, by plain RBAC. */
  const allow = async (inNamespace: string, serviceAccount: string) => {
    const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true };
    const metadata = { name: 'may-load', namespace: inNamespace };
    const rule = { apiGroups: ['security.openshift.io'], resources: ['securitycontextconstraints'] };
    const role = { metadata, rules: [{ ...rule, resourceNames: ['privileged'], verbs: ['use'] }] };
    const roleRef = { apiGroup: rbac.group, kind: 'Role', name: 'may-load' };
    const subjects = [{ kind: 'ServiceAccount', name: serviceAccount, namespace: inNamespace }];
    await world.admin.create({ ...rbac, kind: 'Role', plural: 'roles' }, role, signal);
    await world.admin.create(
      { ...rbac, kind: 'RoleBinding', plural: 'rolebindings' },
      { metadata, roleRef, subjects } as KubeObject,
      signal,
    );
  };
});
