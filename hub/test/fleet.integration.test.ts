import { isDeepStrictEqual } from 'node:util';
import {
  configMap,
  HUB_NAMESPACE,
  type KubeObject,
  kubeEvent,
  type ManagedClusterModule,
  type ManifestWork,
  type Module,
  type ModuleImage,
  managedCluster,
  type Resource,
  secret,
} from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hearing } from '../../queue/test/hearing-executor.ts';
import {
  dockerfile,
  eventually,
  type HubWorld,
  images,
  joinCluster,
  moduleFor,
  modules,
  type Running,
  reportKernels,
  reportVersion,
  signal,
  startHub,
  startHubWorld,
  startWorker,
  works,
  writeDockerfile,
} from './hub-world.ts';

const KERNEL = '6.1.0-53-cloud-amd64';
const NEWER_KERNEL = '6.12.9+deb12-amd64'; // "+" is no character of a tag

describe('the hub and its workers', () => {
  let world: HubWorld;
  let hub: Running;
  let worker: Running;
  /** Dockerfiles that were built, in order. */
  const builds: string[] = [];

  beforeAll(async () => {
    world = await startHubWorld();
    hub = await startHub(world);
    worker = await startWorker(world, {
      build(request, stopping) {
        builds.push(request.dockerfile);
        return hearing(world.executor).build(request, stopping); // what a failing build says last is asked for here
      },
    });
  });
  afterAll(async () => {
    await hub?.stop();
    await worker?.stop();
    await world?.stop();
  });

  /** A fleet of its own for one test: clusters <name>-1, <name>-2, …, a Dockerfile and the module. */
  async function fleetFor(name: string, kernels: string[][], container = {}) {
    const { admin, base } = world;
    const clusters = kernels.map((list, index) => ({
      name: `${name}-${index + 1}`,
      labels: { test: name },
      kernels: list,
    }));
    await Promise.all(clusters.map((cluster) => joinCluster(world, cluster)));
    await writeDockerfile(admin, name, dockerfile(base, `RUN echo ${name}`));
    const build = { dockerfileConfigMap: { name } };
    await admin.create(modules, moduleFor(world, name, { build, ...container }), signal);
  }
  const imagesOf = async (name: string): Promise<ModuleImage[]> => {
    const { items } = await world.admin.list(images, {}, signal);
    return items.filter(({ spec }) => spec.image.startsWith(`${world.registry.host}/${name}:`));
  };
  const worksOf = async (name: string): Promise<ManifestWork[]> => {
    const labelSelector = `kmm.node.kubernetes.io/managedclustermodule.name=${name}`;
    return (await world.admin.list(works, { labelSelector }, signal)).items;
  };
  const moduleOf = (name: string) => world.admin.get(modules, { name }, signal);
  const published = (list: ModuleImage[]) =>
    list.length > 0 && list.every(({ status }) => status?.phase === 'Published');
  const readyOf = (image: ModuleImage | undefined) => conditionOf(image?.status?.conditions, 'Ready');
  const availableOf = (module: ManagedClusterModule) => conditionOf(module.status?.conditions, 'Available');
  const buildsOf = (name: string) => builds.filter((text) => text.includes(`echo ${name}`)).length;
  const versionsOf = (objects: KubeObject[]) =>
    Object.fromEntries(
      objects.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion]),
    );
  const eventsOf = async (name: string) => {
    const { items } = await world.admin.list(kubeEvent, { namespace: 'default' }, signal);
    return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason }) => reason);
  };
  const specOf = (work: ManifestWork | undefined) => {
    const [manifest] = (work?.spec.workload?.manifests ?? []) as unknown as Module[];
    return manifest?.spec;
  };
  const mappingsOf = (work: ManifestWork | undefined) => specOf(work)?.moduleLoader?.container.kernelMappings;
  /** Nothing of the tests before is on its way: no cluster of this world has an agent, so more is never told. */
  const everyStatusIsFinal = (fleet: { module: ManagedClusterModule; works: ManifestWork[] }[]) =>
    fleet.every(
      ({ module, works: { length } }) =>
        ['WorkApplying', 'NoClusters', 'DockerfileNotFound'].includes(availableOf(module)?.reason ?? '') &&
        module.status?.numberDesired === length,
    );
  const literal = (name: string, kernel: string, image: ModuleImage | undefined) => ({
    literal: kernel,
    containerImage: `${world.registry.host}/${name}@${image?.status?.digest}`,
  });

  test('clusters that share a kernel share one image and one build, and each gets its work by digest', async () => {
    await fleetFor('shared', [[KERNEL], [KERNEL], [KERNEL]]);
    const written = await eventually(
      () => worksOf('shared'),
      ({ length }) => length === 3,
    );
    const [image, ...others] = await imagesOf('shared');
    expect(others).toEqual([]);
    expect(image?.status).toMatchObject({ phase: 'Published', builds: 1, reused: false });
    expect(buildsOf('shared')).toBe(1);
    for (const work of written) expect(mappingsOf(work)).toEqual([literal('shared', KERNEL, image)]);
    const module = await eventually(
      () => moduleOf('shared'),
      ({ status }) => status?.numberDesired === 3,
    );
    expect(module.status).toMatchObject({ numberSelected: 3, numberDegraded: 0 });
  });

  test('a second kernel on one cluster is one more image, and no other work is touched', async () => {
    await fleetFor('second', [[KERNEL], [KERNEL]]);
    const before = await eventually(
      () => worksOf('second'),
      ({ length }) => length === 2,
    );
    await reportKernels(world.admin, 'second-2', [KERNEL, NEWER_KERNEL]);
    const after = await eventually(
      () => worksOf('second'),
      (list) => list.some((work) => mappingsOf(work)?.length === 2),
    );
    const all = await imagesOf('second');
    const byKernel = (kernel: string) => all.find(({ spec }) => spec.kernelVersion === kernel);
    const two = after.find(({ metadata }) => metadata.namespace === 'second-2');
    expect(mappingsOf(two)).toEqual([
      literal('second', KERNEL, byKernel(KERNEL)),
      literal('second', NEWER_KERNEL, byKernel(NEWER_KERNEL)),
    ]);
    expect(versionsOf(after)['second-1/second']).toBe(versionsOf(before)['second-1/second']);
    expect(all.map(({ spec }) => spec.image.split(':').at(-1)).sort()).toEqual([KERNEL, '6.12.9_deb12-amd64']);
    expect(buildsOf('second')).toBe(2);
  });

  test('a cluster that is too old for a module gets nothing new of it and keeps what it has, until it is upgraded', async () => {
    const { admin } = world;
    const labels = { test: 'dated' };
    await joinCluster(world, { name: 'dated-1', labels, kernels: [KERNEL], version: 'v1.33.4' });
    await joinCluster(world, { name: 'dated-2', labels, kernels: [KERNEL], version: 'v1.36.3' });
    await fleetFor('dated', []);
    const before = await eventually(
      () => worksOf('dated'),
      ({ length }) => length === 2,
    );
    const dra = { driverName: 'dated.example.com', container: { image: world.base } };
    await admin.patch(modules, { ref: { name: 'dated' }, patch: { spec: { moduleSpec: { dra } } } }, signal);
    const tooOld = (name: string) => ({
      name,
      reason: 'ClusterTooOld',
      message:
        'dra needs Kubernetes 1.34, and the cluster runs v1.33.4. Upgrade the cluster to Kubernetes 1.34 ' +
        '(OpenShift 4.21), deselect it, or serve its nodes with devicePlugin instead of dra.',
    });
    const tells = (...clusters: string[]) =>
      eventually(
        () => moduleOf('dated'),
        ({ status }) => isDeepStrictEqual(status?.worstClusters?.slice(0, -1), clusters.map(tooOld)),
      );
    await tells('dated-1');
    await eventually(
      () => eventsOf('dated'),
      (reasons) => reasons.includes('ClusterTooOld'),
    );
    await joinCluster(world, { name: 'dated-3', labels, kernels: [NEWER_KERNEL], version: 'v1.33.4' });
    await tells('dated-1', 'dated-3');
    const after = await eventually(
      () => worksOf('dated'),
      (list) => list.some(({ metadata }) => metadata.generation === 2),
    );
    expect(versionsOf(after)).toEqual({
      'dated-1/dated': versionsOf(before)['dated-1/dated'],
      'dated-2/dated': expect.any(String),
    });
    expect((await imagesOf('dated')).map(({ spec }) => spec.kernelVersion)).toEqual([KERNEL]);
    for (const cluster of ['dated-1', 'dated-3']) await reportVersion(admin, cluster, 'v1.34.0');
    const healed = await eventually(
      () => worksOf('dated'),
      (list) => list.length === 3 && list.every((work) => specOf(work)?.dra !== undefined),
    );
    expect(healed.map(({ metadata }) => [metadata.namespace, metadata.generation]).sort()).toEqual([
      ['dated-1', 2],
      ['dated-2', 2],
      ['dated-3', 1],
    ]);
    await eventually(
      () => moduleOf('dated'),
      ({ status }) => status?.numberDegraded === 0,
    );
    expect(buildsOf('dated')).toBe(2);
  });

  test('a deselected cluster loses its work, and an image that nobody needs any more goes', async () => {
    await fleetFor('leaving', [[KERNEL], [NEWER_KERNEL]]);
    const before = await eventually(
      () => worksOf('leaving'),
      ({ length }) => length === 2,
    );
    const patch = { metadata: { labels: { test: null } } };
    await world.admin.patch(managedCluster, { ref: { name: 'leaving-2' }, patch }, signal);
    const after = await eventually(
      () => worksOf('leaving'),
      ({ length }) => length === 1,
    );
    expect(versionsOf(after)).toEqual({ 'leaving-1/leaving': versionsOf(before)['leaving-1/leaving'] });
    const left = await eventually(
      () => imagesOf('leaving'),
      ({ length }) => length === 1,
    );
    expect(left.map(({ spec }) => spec.kernelVersion)).toEqual([KERNEL]);
  });

  test('a cluster that is deselected before its image is ready leaves nothing to build', async () => {
    await fleetFor('early', [[KERNEL]], {
      build: { dockerfileConfigMap: { name: 'early' }, secrets: [{ name: 'never' }] },
    });
    await eventually(
      () => imagesOf('early'),
      ([image]) => readyOf(image)?.reason === 'SecretNotFound',
    );
    const patch = { metadata: { labels: { test: null } } };
    await world.admin.patch(managedCluster, { ref: { name: 'early-1' }, patch }, signal);
    expect(
      await eventually(
        () => imagesOf('early'),
        ({ length }) => length === 0,
      ),
    ).toEqual([]);
    const module = await eventually(
      () => moduleOf('early'),
      (now) => availableOf(now)?.reason === 'NoClusters',
    );
    expect(module.status).toMatchObject({ numberSelected: 0, numberDegraded: 0 });
  });

  test('a missing ConfigMap is told with its remedy, and heals when it comes', async () => {
    await fleetFor('unwritten', [[KERNEL]], { build: { dockerfileConfigMap: { name: 'unwritten-yet' } } });
    const module = await eventually(
      () => moduleOf('unwritten'),
      (now) => availableOf(now)?.reason === 'DockerfileNotFound',
    );
    expect(module.status?.worstClusters).toEqual([
      {
        name: 'unwritten-1',
        reason: 'DockerfileNotFound',
        message:
          `kernel ${KERNEL}: the Dockerfile cannot be read: ConfigMap unwritten-yet does not exist. ` +
          'Create ConfigMap unwritten-yet with key "dockerfile" in the namespace of the hub.',
      },
    ]);
    expect(conditionOf(module.status?.conditions, 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'DockerfileNotFound',
    });
    await eventually(
      () => eventsOf('unwritten'),
      (reasons) => reasons.includes('DockerfileNotFound'),
    );
    await writeDockerfile(world.admin, 'unwritten-yet', dockerfile(world.base));
    expect(
      await eventually(
        () => worksOf('unwritten'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
  });

  test('a missing Secret is told on image and module, and heals when it comes', async () => {
    await fleetFor('secretive', [[KERNEL]], {
      build: { dockerfileConfigMap: { name: 'secretive' }, secrets: [{ name: 'build-token' }] },
    });
    const [image] = await eventually(
      () => imagesOf('secretive'),
      ([one]) => readyOf(one)?.reason === 'SecretNotFound',
    );
    const message =
      `Secret ${HUB_NAMESPACE}/build-token does not exist. ` +
      `Create Secret build-token in namespace ${HUB_NAMESPACE} of the hub.`;
    expect(readyOf(image)).toMatchObject({ status: 'False', message });
    await eventually(
      () => moduleOf('secretive'),
      (now) => availableOf(now)?.reason === 'SecretNotFound',
    );
    await eventually(
      () => eventsOf(image?.metadata.name ?? ''),
      (reasons) => reasons.includes('SecretNotFound'),
    );
    const metadata = { name: 'build-token', namespace: HUB_NAMESPACE };
    await world.admin.create(secret, { metadata, data: { token: Buffer.from('t').toString('base64') } }, signal);
    expect(
      await eventually(
        () => worksOf('secretive'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
    expect((await imagesOf('secretive'))[0]?.status).toMatchObject({ phase: 'Published', builds: 1 });
  });

  test('a missing toolkit is told with its remedy, and heals when the catalogue has it', async () => {
    await fleetFor('toolkit', [[KERNEL]], { build: { dockerfileConfigMap: { name: 'with-toolkit' } } });
    const text = ['ARG DTK_AUTO', 'FROM ${DTK_AUTO} AS b', 'RUN echo x > /x', 'FROM scratch', 'COPY --from=b /x /x'];
    await writeDockerfile(world.admin, 'with-toolkit', text.join('\n'));
    const module = await eventually(
      () => moduleOf('toolkit'),
      (now) => availableOf(now)?.reason === 'ToolkitNotFound',
    );
    expect(module.status?.worstClusters?.[0]?.message).toContain('Add an entry to toolkitCatalogue');
    const config = JSON.stringify({ toolkitCatalogue: [{ regexp: '^6\\.', image: world.base }] });
    const metadata = { name: 'kmm-operator-hub-manager-config', namespace: HUB_NAMESPACE };
    await world.admin.create(configMap, { metadata, data: { 'controller_config.yaml': config } }, signal);
    expect(
      await eventually(
        () => worksOf('toolkit'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
  });

  test('a failing build tells its last lines, and heals when the Dockerfile is mended', async () => {
    const text = dockerfile(world.base, 'RUN echo "hello.c:7: error: no such thing"; false');
    await writeDockerfile(world.admin, 'not-compiling', text);
    await fleetFor('broken', [[KERNEL]], { build: { dockerfileConfigMap: { name: 'not-compiling' } } });
    const [image] = await eventually(
      () => imagesOf('broken'),
      ([one]) => readyOf(one)?.reason === 'BuildFailed',
    );
    expect(image?.status).toMatchObject({ phase: 'Failed', failures: 1 });
    expect(readyOf(image)?.message).toContain('hello.c:7: error: no such thing');
    const module = await eventually(
      () => moduleOf('broken'),
      (now) => availableOf(now)?.reason === 'BuildFailed',
    );
    expect(module.status?.worstClusters?.[0]?.message).toContain('hello.c:7: error: no such thing');
    await writeDockerfile(world.admin, 'not-compiling', dockerfile(world.base));
    expect(
      await eventually(
        () => worksOf('broken'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
    const [mended] = await imagesOf('broken');
    expect(mended?.status).toMatchObject({ phase: 'Published', builds: 1 });
    expect(mended?.status?.failures).toBeUndefined();
  });

  test('an image that is in the registry is taken as it is', async () => {
    const image = world.base;
    const kernelMappings = [{ regexp: '^.+$', containerImage: image }];
    await fleetFor('prebuilt', [[KERNEL]], { build: undefined, kernelMappings });
    const [work] = await eventually(
      () => worksOf('prebuilt'),
      ({ length }) => length === 1,
    );
    const all = (await world.admin.list(images, {}, signal)).items;
    const found = all.find(({ spec }) => spec.image === image);
    expect(found?.status).toMatchObject({ phase: 'Published', reused: true, builds: 0 });
    expect(mappingsOf(work)).toEqual([
      { literal: KERNEL, containerImage: `${world.registry.host}/base/busybox@${found?.status?.digest}` },
    ]);
  });

  test('a deleted module is held until its works are gone, and takes its images with it', async () => {
    await fleetFor('deleted', [[KERNEL], [KERNEL]]);
    await eventually(
      () => worksOf('deleted'),
      ({ length }) => length === 2,
    );
    const held = { namespace: 'deleted-1', name: 'deleted' }; // as a work agent does until it has unloaded
    const finalizers = ['cluster.open-cluster-management.io/manifest-work-cleanup'];
    await world.admin.patch(works, { ref: held, patch: { metadata: { finalizers } } }, signal);
    await world.admin.delete(modules, { name: 'deleted' }, signal);
    const leaving = await eventually(
      () => moduleOf('deleted'),
      (now) => availableOf(now)?.reason === 'Removing',
    );
    await eventually(
      () => worksOf('deleted'),
      ({ length }) => length === 1,
    );
    expect(leaving.metadata.deletionTimestamp).toBeDefined();
    expect(
      availableOf(
        await eventually(
          () => moduleOf('deleted'),
          (now) => now.status?.numberDesired === 1,
        ),
      )?.message,
    ).toBe('waits for deleted-1 to unload the module');
    await world.admin.patch(works, { ref: held, patch: { metadata: { finalizers: null } } }, signal);
    await eventually(
      () => world.admin.getIfPresent(modules, { name: 'deleted' }, signal),
      (now) => now === undefined,
    );
    expect(await worksOf('deleted')).toEqual([]);
    expect(
      await eventually(
        () => imagesOf('deleted'),
        ({ length }) => length === 0,
      ),
    ).toEqual([]);
  });

  test('a second module with another recipe for the same target is told of the conflict; the older one stands', async () => {
    await fleetFor('older', [[KERNEL]]);
    const [before] = await eventually(() => imagesOf('older'), published);
    await writeDockerfile(world.admin, 'younger', dockerfile(world.base, 'RUN echo another recipe'));
    const containerImage = `${world.registry.host}/older:\${KERNEL_FULL_VERSION}`;
    const kernelMappings = [{ regexp: '^.+$', containerImage }];
    const younger = moduleFor(world, 'younger', {
      build: { dockerfileConfigMap: { name: 'younger' } },
      kernelMappings,
    });
    await world.admin.create(modules, { ...younger, spec: { ...younger.spec, selector: { test: 'older' } } }, signal);
    const told = await eventually(
      () => moduleOf('younger'),
      (now) => availableOf(now)?.reason === 'RecipeConflict',
    );
    expect(availableOf(told)?.message).toContain('is wanted with another recipe by older.');
    const [after] = await imagesOf('older');
    expect(after?.spec.recipeKey).toBe(before?.spec.recipeKey);
    await world.admin.delete(modules, { name: 'older' }, signal); // then the other one's recipe counts
    expect(
      await eventually(
        () => worksOf('younger'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
  });

  test('a work of an upstream hub is adopted in one write', async () => {
    const { admin } = world;
    await joinCluster(world, { name: 'adopted-1', labels: { test: 'adopted' }, kernels: [KERNEL] });
    const mapping = {
      build: null,
      registryTLS: null,
      regexp: '',
      inTreeModuleToRemove: '',
      inTreeModulesToRemove: null,
    };
    const empty = { availableNumber: 0 };
    const container = {
      modprobe: { moduleName: 'adopted' },
      kernelMappings: [{ ...mapping, literal: KERNEL, containerImage: 'r/k:1' }],
    };
    const manifest = {
      apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
      kind: 'Module',
      metadata: { name: 'adopted', namespace: 'openshift-kmm' },
      spec: { selector: {}, devicePlugin: null, moduleLoader: { container } },
      status: { devicePlugin: empty, dra: empty, moduleLoader: empty },
    };
    const labels = { 'kmm.node.kubernetes.io/managedclustermodule.name': 'adopted' };
    await hub.stop(); // upstream's hub ran until now
    const metadata = { name: 'adopted', namespace: 'adopted-1', labels };
    await admin.create(works, { metadata, spec: { workload: { manifests: [manifest] } } }, signal);
    const kernelMappings = [{ regexp: '^.+$', containerImage: world.base }];
    const module = await admin.create(modules, moduleFor(world, 'adopted', { kernelMappings }), signal);
    hub = await startHub(world);
    const [work] = await eventually(
      () => worksOf('adopted'),
      ([one]) => one?.metadata.generation === 2,
    );
    expect(work?.metadata.ownerReferences).toMatchObject([{ name: 'adopted', uid: module.metadata.uid }]);
    expect(mappingsOf(work)).toEqual([{ literal: KERNEL, containerImage: expect.stringContaining('@sha256:') }]);
    await eventually(
      () => moduleOf('adopted'),
      (now) => availableOf(now)?.reason === 'WorkApplying',
    );
    expect((await worksOf('adopted'))[0]?.metadata.generation).toBe(2); // told of behind the last write
  });

  test("somebody else's work of the same name is left alone, and told of", async () => {
    const { admin } = world;
    await joinCluster(world, { name: 'foreign-1', labels: { test: 'foreign' }, kernels: [KERNEL] });
    const metadata = { name: 'foreign', namespace: 'foreign-1' };
    const theirs = await admin.create(works, { metadata, spec: { workload: { manifests: [] } } }, signal);
    const kernelMappings = [{ regexp: '^.+$', containerImage: world.base }];
    await admin.create(modules, moduleFor(world, 'foreign', { kernelMappings }), signal);
    const module = await eventually(
      () => moduleOf('foreign'),
      (now) => availableOf(now)?.reason === 'ForeignWork',
    );
    expect(availableOf(module)?.message).toContain('Delete or rename the other work');
    expect(await admin.get(works, metadata, signal)).toEqual(theirs);
    await admin.delete(works, metadata, signal);
    expect(
      await eventually(
        () => worksOf('foreign'),
        ({ length }) => length === 1,
      ),
    ).toHaveLength(1);
  });

  test('a hub that starts again on a settled fleet writes nothing', async () => {
    await fleetFor('settled', [[KERNEL], [KERNEL]]);
    await eventually(
      () => worksOf('settled'),
      ({ length }) => length === 2,
    );
    await eventually(
      () => moduleOf('settled'),
      (now) => now.status?.numberDesired === 2,
    );
    await fleetFor('unsettled', [[KERNEL]], { build: { dockerfileConfigMap: { name: 'not-there' } } });
    await eventually(
      () => moduleOf('unsettled'),
      (now) => availableOf(now)?.reason === 'DockerfileNotFound',
    );
    await eventually(async () => {
      const { items } = await world.admin.list(modules, {}, signal);
      return Promise.all(items.map(async (module) => ({ module, works: await worksOf(module.metadata.name) })));
    }, everyStatusIsFinal);
    const everything = async () => {
      const kinds: Resource[] = [modules, images, works, kubeEvent];
      const lists = await Promise.all(kinds.map((kind) => world.admin.list(kind, {}, signal)));
      const old = lists
        .flatMap(({ items }) => items)
        .filter(({ metadata }) => !/sentinel/.test(JSON.stringify(metadata)));
      return versionsOf(old);
    };
    await hub.stop();
    const before = await everything();
    hub = await startHub(world);
    // what is new is looked at behind everything that was there: once it is done, all of that was decided about
    await fleetFor('sentinel', [[KERNEL]], {
      build: undefined,
      kernelMappings: [{ regexp: '^.+$', containerImage: world.base }],
    });
    await eventually(
      () => moduleOf('sentinel'),
      (now) => now.status?.numberDesired === 1,
    );
    const after = await everything();
    const sentinelEvents = Object.keys(after).filter((key) => !(key in before));
    expect(sentinelEvents.filter((key) => !key.startsWith('default/'))).toEqual([]);
    for (const [key, version] of Object.entries(before)) expect([key, after[key]]).toEqual([key, version]);
  });
});
