import {
  appliedManifestWork,
  clusterClaim,
  configMap,
  type KubeObject,
  lease,
  type ManifestWork,
  type ManifestWorkSpec,
  managedCluster,
  namespace,
  type UpdateStrategy,
} from '@kmm-hub/api-types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  appliedName,
  appliedWorkOf,
  CLUSTER,
  configMapManifest as cm,
  configMapConfig,
  signal,
  startWorkWorld,
  told,
  type Widget,
  type WorkWorld,
  widgets,
  workOf,
  works,
} from './work-world.ts';

const prompt = { timeout: 60_000, interval: 50 };
const MANIFEST_WORK_FINALIZER = 'cluster.open-cluster-management.io/manifest-work-cleanup'; // OCM's words, not ours
let world: WorkWorld;
beforeAll(async () => {
  world = await startWorkWorld();
});
afterAll(() => world?.stop());

const getWork = (name: string) => world.hub.getIfPresent(works, { namespace: CLUSTER, name }, signal);
const getMap = (name: string, ns = 't') => world.spoke.getIfPresent(configMap, { namespace: ns, name }, signal);
const createWork = (...args: Parameters<typeof workOf>) => world.hub.create(works, workOf(...args), signal);
const deleteWork = (name: string) => world.hub.delete(works, { namespace: CLUSTER, name }, signal);

async function changeWork(name: string, change: Partial<ManifestWorkSpec>): Promise<ManifestWork> {
  return world.hub.patch(works, { ref: { namespace: CLUSTER, name }, patch: { spec: change } }, signal);
}
const setManifests = (name: string, manifests: KubeObject[]) =>
  changeWork(name, { workload: { manifests: manifests as (KubeObject & Record<string, unknown>)[] } });
let touches = 0;
const touch = (name: string) => {
  touches += 1;
  const patch = { metadata: { labels: { touched: String(touches) } } };
  return world.hub.patch(works, { ref: { namespace: CLUSTER, name }, patch }, signal);
};

const manifestsOf = (work: ManifestWork | undefined) => work?.status?.resourceStatus?.manifests ?? [];
const workSays = async (name: string) => told((await getWork(name))?.status?.conditions);
const manifestSays = async (name: string, index = 0) => told(manifestsOf(await getWork(name))[index]?.conditions);
const generationOf = async (name: string) =>
  (await getWork(name))?.status?.conditions?.find(({ type }) => type === 'Applied')?.observedGeneration;
const recorded = async (name: string) => (await appliedWorkOf(world, name))?.status?.appliedResources;
const ownersOf = (object: KubeObject | undefined) => object?.metadata.ownerReferences?.map(({ name }) => name) ?? [];
const allGood = { Applied: 'True AppliedManifestWorkComplete', Available: 'True ResourcesAvailable' };
const applied = { Applied: 'True AppliedManifestComplete' };
const toBeApplied = (name: string) => expect.poll(() => workSays(name), prompt).toEqual(allGood);
const toBeGone = (name: string) => expect.poll(() => getWork(name), prompt).toBeUndefined();

describe('a new work', () => {
  beforeAll(async () => {
    await createWork('w1', [cm('w1-cm')]);
    await vi.waitFor(async () => expect(await workSays('w1')).toEqual(allGood), prompt);
  });

  test('is held by a finalizer and recorded on the spoke', async () => {
    expect((await getWork('w1'))?.metadata.finalizers).toEqual([MANIFEST_WORK_FINALIZER]);
    expect(await appliedWorkOf(world, 'w1')).toMatchObject({
      metadata: { finalizers: ['cluster.open-cluster-management.io/applied-manifest-work-cleanup'] },
      spec: { manifestWorkName: 'w1', hubHash: appliedName(world, 'w1').name.slice(0, 64) },
    });
  });

  test('has its object, which the record owns and lists', async () => {
    const object = await getMap('w1-cm');
    const record = await appliedWorkOf(world, 'w1');
    expect(object?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'work.open-cluster-management.io/v1',
        kind: 'AppliedManifestWork',
        name: record?.metadata.name,
        uid: record?.metadata.uid,
      },
    ]);
    const uid = object?.metadata.uid;
    const entry = { group: '', version: 'v1', resource: 'configmaps', namespace: 't', name: 'w1-cm', uid };
    await expect.poll(() => recorded('w1'), prompt).toEqual([entry]);
  });

  test('says of each manifest what became of it', async () => {
    const [manifest] = manifestsOf(await getWork('w1'));
    const meta = { version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespace: 't', name: 'w1-cm' };
    expect(manifest?.resourceMeta).toEqual({ ordinal: 0, ...meta });
    expect(told(manifest?.conditions)).toEqual({
      ...applied,
      Available: 'True ResourceAvailable',
      StatusFeedbackSynced: 'True NoStatusFeedbackSynced',
    });
  });

  test('follows a change of its spec, and says for which generation', async () => {
    const { generation } = (await setManifests('w1', [cm('w1-cm', { a: '2' })])).metadata;
    await expect.poll(() => generationOf('w1'), prompt).toBe(generation);
    expect((await getMap('w1-cm'))?.data).toEqual({ a: '2' });
  });

  test('keeps labels, annotations and finalizers that others put on its object', async () => {
    const theirs = { labels: { theirs: '1' }, annotations: { theirs: '1' }, finalizers: ['test.example/hold'] };
    const ref = { namespace: 't', name: 'w1-cm' };
    await world.spoke.patch(configMap, { ref, patch: { metadata: theirs } }, signal);
    await setManifests('w1', [{ ...cm('w1-cm', { a: '3' }), metadata: { ...ref, labels: { mine: '1' } } }]);
    await expect.poll(async () => (await getMap('w1-cm'))?.data, prompt).toEqual({ a: '3' });
    await setManifests('w1', [cm('w1-cm', { a: '4' })]);
    await expect.poll(async () => (await getMap('w1-cm'))?.data, prompt).toEqual({ a: '4' });
    const labels = { theirs: '1', mine: '1' }; // a label is never taken away by the strategy Update
    expect((await getMap('w1-cm'))?.metadata).toMatchObject({ ...theirs, labels });
    await world.spoke.patch(configMap, { ref, patch: { metadata: { finalizers: [] } } }, signal);
  });

  test('misses an object that went, and puts it back when touched', async () => {
    const generation = (await getWork('w1'))?.metadata.generation;
    await expect.poll(() => generationOf('w1'), prompt).toBe(generation); // a pass that is still to come would put it back
    await world.spoke.delete(configMap, { namespace: 't', name: 'w1-cm' }, signal);
    await expect.poll(() => workSays('w1'), prompt).toEqual({ ...allGood, Available: 'False ResourcesNotAvailable' });
    expect(await manifestSays('w1')).toMatchObject({ ...applied, Available: 'False ResourceNotAvailable' });
    await touch('w1');
    await toBeApplied('w1');
    expect(await getMap('w1-cm')).toBeDefined();
  });
});

test('its queues, requests and watches are measured', async () => {
  const metrics = await world.metrics();
  for (const series of [
    /^workqueue_adds_total\{name="manifest-work"\} [1-9]/m,
    /^rest_client_requests_total\{code="201",host="[^"]+",method="POST"\} [1-9]/m,
    /^kmm_hub_watches_total\{resource="manifestworks"\} [1-9]/m,
  ]) {
    expect(metrics).toMatch(series);
  }
});

describe('manifests of one work', () => {
  test('are applied in the order of their kinds, and told in that of the spec', async () => {
    await createWork('order', [cm('in-x', {}, 'x'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }]);
    await toBeApplied('order');
    const metas = manifestsOf(await getWork('order')).map(({ resourceMeta: { ordinal, kind } }) => [ordinal, kind]);
    expect(metas).toEqual([
      [0, 'ConfigMap'],
      [1, 'Namespace'],
    ]);
  });

  test('fail each on its own', async () => {
    await createWork('apart', [cm('in-y', {}, 'y'), cm('apart-1'), cm('apart-2')]);
    await expect
      .poll(() => workSays('apart'), prompt)
      .toEqual({
        Applied: 'False AppliedManifestWorkFailed',
        Available: 'False ResourcesNotAvailable',
      });
    const available = (await getWork('apart'))?.status?.conditions?.find(({ type }) => type === 'Available');
    expect(available?.message).toBe('1 of 3 resources are not available');
    expect(await manifestSays('apart', 0)).toMatchObject({ Applied: 'False AppliedManifestFailed' });
    expect(await manifestSays('apart', 2)).toMatchObject(applied);
    expect([await getMap('apart-1'), await getMap('apart-2')]).not.toContain(undefined);
    await world.spoke.create(namespace, { metadata: { name: 'y' } }, signal);
    await touch('apart');
    await toBeApplied('apart');
  });

  test('that are dropped go, and the others stay', async () => {
    await createWork('drop', [cm('drop-1'), cm('drop-2')]);
    await expect.poll(async () => (await recorded('drop'))?.length, prompt).toBe(2);
    await setManifests('drop', [cm('drop-2')]);
    await expect.poll(() => getMap('drop-1'), prompt).toBeUndefined();
    await expect.poll(() => recorded('drop'), prompt).toMatchObject([{ name: 'drop-2' }]);
    expect(manifestsOf(await getWork('drop'))).toMatchObject([{ resourceMeta: { ordinal: 0, name: 'drop-2' } }]);
  });
});

describe('a kind that the spoke does not serve', () => {
  const gadget = { apiVersion: 'test.example/v1', kind: 'Gadget', metadata: { name: 'g', namespace: 't' } };

  test('fails alone and is told as unknown', async () => {
    await createWork('unknown', [gadget, cm('unknown-1')]);
    await expect
      .poll(() => workSays('unknown'), prompt)
      .toEqual({
        Applied: 'False AppliedManifestWorkFailed',
        Available: 'Unknown ResourcesStatusUnknown',
      });
    const [manifest] = manifestsOf(await getWork('unknown'));
    expect(manifest?.resourceMeta.resource).toBeUndefined();
    expect(manifest?.conditions?.[0]?.message).toContain("the server doesn't have a resource type");
    expect(told(manifest?.conditions)).toMatchObject({ Available: 'Unknown IncompleteResourceMeta' });
    expect(await getMap('unknown-1')).toBeDefined();
  });

  test('holds back every deletion until it is gone', async () => {
    await createWork('hold-back', [cm('hold-1'), cm('hold-2')]);
    await expect.poll(async () => (await recorded('hold-back'))?.length, prompt).toBe(2);
    const { generation } = (await setManifests('hold-back', [gadget, cm('hold-2')])).metadata;
    await expect.poll(() => generationOf('hold-back'), prompt).toBe(generation);
    expect(await getMap('hold-1')).toBeDefined();
    await setManifests('hold-back', [cm('hold-2')]);
    await expect.poll(() => getMap('hold-1'), prompt).toBeUndefined();
  });

  test('may come with its CRD in one work', async () => {
    const widget = { apiVersion: 'test.example/v1', kind: 'Widget', metadata: { name: 'first', namespace: 't' } };
    await createWork('with-crd', [{ ...widget, spec: { size: 1 } } as KubeObject, widgetCrd]);
    await expect.poll(() => workSays('with-crd'), { ...prompt, timeout: 120_000 }).toEqual(allGood);
  });
});

describe('feedback', () => {
  const path = (name: string, at: string, version?: string) => ({ name, path: at, ...(version && { version }) });
  const rules = (...jsonPaths: { name: string; path: string; version?: string }[]) => [
    {
      resourceIdentifier: { group: 'test.example', resource: 'widgets', name: 'fed', namespace: 't' },
      feedbackRules: [{ type: 'JSONPaths' as const, jsonPaths }],
    },
  ];
  const good = [
    path('count', '.status.count'),
    path('phase', '.status.conditions[?(@.type=="Ready")].reason'),
    path('ok', '.status.ok', 'v1'),
    path('gone', '.status.gone'),
    path('size', '.spec.size'),
  ];
  const values = async () =>
    Object.fromEntries(
      (manifestsOf(await getWork('fed'))[0]?.statusFeedback?.values ?? []).map(({ name, fieldValue }) => [
        name,
        fieldValue.integer ?? fieldValue.string ?? fieldValue.boolean,
      ]),
    );

  beforeAll(async () => {
    await createWork('fed-crd', [widgetCrd]);
    await vi.waitFor(async () => expect(await workSays('fed-crd')).toEqual(allGood), prompt);
  });

  test('brings values of a custom object to the hub, and tells which path cannot be read', async () => {
    const widget = { apiVersion: 'test.example/v1', kind: 'Widget', metadata: { name: 'fed', namespace: 't' } };
    const config = rules(...good, path('map', '.status'), path('other', '.status.count', 'v2'));
    await createWork('fed', [{ ...widget, spec: { size: 1 } } as KubeObject], { manifestConfigs: config });
    await toBeApplied('fed');
    const status = { count: 3, ok: true, conditions: [{ type: 'Ready', reason: 'Fine' }] };
    const ref = { namespace: 't', name: 'fed' };
    await world.spoke.patch<Widget>(widgets, { ref, patch: { status }, subresource: 'status' }, signal);
    await expect.poll(values, prompt).toEqual({ count: 3, phase: 'Fine', ok: true, size: 1 });
    expect(await manifestSays('fed')).toMatchObject({ StatusFeedbackSynced: 'False StatusFeedbackSyncFailed' });
    await changeWork('fed', { manifestConfigs: rules(...good) });
    const synced = { StatusFeedbackSynced: 'True StatusFeedbackSynced' };
    await expect.poll(() => manifestSays('fed'), prompt).toMatchObject(synced);
    expect(await values()).toEqual({ count: 3, phase: 'Fine', ok: true, size: 1 });
  });
});

describe('strategies', () => {
  const strategy = (name: string, type: 'CreateOnly' | 'ReadOnly', feedback: object = {}) => ({
    manifestConfigs: [{ ...configMapConfig(name), updateStrategy: { type }, ...feedback }],
  });
  const onServer = (name: string, serverSideApply: UpdateStrategy['serverSideApply'] & object) => ({
    manifestConfigs: [
      { ...configMapConfig(name), updateStrategy: { type: 'ServerSideApply' as const, serverSideApply } },
    ],
  });
  const applyAs = (fieldManager: string, name: string, data: Record<string, string>) => {
    const options = { ref: { namespace: 't', name }, type: 'apply' as const, fieldManager, force: true };
    return world.spoke.patch(configMap, { ...options, patch: cm(name, data) }, signal);
  };

  test('CreateOnly adopts what is there and never changes it', async () => {
    await world.spoke.create(configMap, cm('once', { a: 'theirs' }), signal);
    await createWork('once', [cm('once')], strategy('once', 'CreateOnly'));
    await toBeApplied('once');
    expect((await getMap('once'))?.data).toEqual({ a: 'theirs' });
    expect(ownersOf(await getMap('once'))).toEqual([appliedName(world, 'once').name]);
    await deleteWork('once');
    await toBeGone('once');
    expect(await getMap('once')).toBeUndefined();
  });

  test('ReadOnly feeds back, and owns and deletes nothing', async () => {
    await world.spoke.create(configMap, cm('seen', { k: 'v' }), signal);
    const feedback = {
      feedbackRules: [{ type: 'JSONPaths' as const, jsonPaths: [{ name: 'k', path: '.data.k' }] }],
    };
    await createWork('seen', [cm('seen', { k: 'other' })], strategy('seen', 'ReadOnly', feedback));
    await toBeApplied('seen');
    const fed = { values: [{ name: 'k', fieldValue: { type: 'String', string: 'v' } }] };
    expect(manifestsOf(await getWork('seen'))[0]?.statusFeedback).toEqual(fed);
    expect(ownersOf(await getMap('seen'))).toEqual([]);
    await world.spoke.delete(configMap, { namespace: 't', name: 'seen' }, signal);
    const missed = { ...applied, Available: 'False ResourceNotAvailable' };
    await expect.poll(() => manifestSays('seen'), prompt).toMatchObject(missed);
    expect(manifestsOf(await getWork('seen'))[0]?.statusFeedback).toEqual(fed);
    await world.spoke.create(configMap, cm('seen', { k: 'again' }), signal);
    await deleteWork('seen');
    await toBeGone('seen');
    expect(await getMap('seen')).toBeDefined();
  });

  test('ServerSideApply loses to another manager unless it may force', async () => {
    await applyAs('somebody', 'taken', { a: 'theirs' });
    await createWork('taken', [cm('taken', { a: 'mine' })], onServer('taken', { force: false }));
    await expect.poll(() => manifestSays('taken'), prompt).toMatchObject({ Applied: 'False AppliedManifestFailed' });
    expect((await getMap('taken'))?.data).toEqual({ a: 'theirs' });
    await changeWork('taken', onServer('taken', { force: true }));
    await toBeApplied('taken');
    expect((await getMap('taken'))?.data).toEqual({ a: 'mine' });
  });

  test('ServerSideApply leaves fields of others alone and takes back its own, under the name it is given', async () => {
    const mine = { fieldManager: 'work-agent-x', force: true };
    const labelled = { ...cm('shared', { a: '1' }), metadata: { namespace: 't', name: 'shared', labels: { l: '1' } } };
    await createWork('shared', [labelled], onServer('shared', mine));
    await toBeApplied('shared');
    await applyAs('somebody', 'shared', { b: '1' });
    await setManifests('shared', [cm('shared', { a: '2' })]);
    await expect.poll(async () => (await getMap('shared'))?.data, prompt).toEqual({ a: '2', b: '1' });
    const { metadata } = (await getMap('shared')) ?? {};
    expect(metadata?.labels).toBeUndefined();
    expect(metadata?.managedFields).toContainEqual(
      expect.objectContaining({ manager: 'work-agent-x', operation: 'Apply' }),
    );
    expect(ownersOf(await getMap('shared'))).toEqual([appliedName(world, 'shared').name]);
  });

  test('an option that this agent does not know is told instead of being left out in silence', async () => {
    const ignoreFields = [{ condition: 'OnSpokePresent' as const, jqPathExpressions: ['.data.k'] }];
    await createWork('jq', [cm('jq')], onServer('jq', { force: true, ignoreFields }));
    const told = { Applied: 'False AppliedManifestSSAIgnoreFieldError' };
    await expect.poll(() => manifestSays('jq'), prompt).toMatchObject(told);
    expect(await getMap('jq')).toBeUndefined();
  });
});

describe('a deleted work', () => {
  test('takes its objects with it, and goes last', async () => {
    await createWork('last', [cm('last')]);
    await toBeApplied('last');
    const events = await watchWork('last');
    await deleteWork('last');
    for await (const { type } of events) if (type === 'DELETED') break;
    // asked after the event: two watches on two servers would not tell which came first
    expect([await appliedWorkOf(world, 'last'), await getMap('last')]).toEqual([undefined, undefined]);
  });

  test('waits for an object that is held, and says so', async () => {
    await createWork('held', [cm('held')]);
    await expect.poll(async () => (await recorded('held'))?.length, prompt).toBe(1);
    const ref = { namespace: 't', name: 'held' };
    await world.spoke.patch(configMap, { ref, patch: { metadata: { finalizers: ['test.example/hold'] } } }, signal);
    await deleteWork('held');
    await expect.poll(() => workSays('held'), prompt).toMatchObject({ Deleting: 'True WorkDeleting' });
    await expect.poll(async () => (await getMap('held'))?.metadata.deletionTimestamp, prompt).toBeDefined();
    expect(await recorded('held')).toMatchObject([{ name: 'held' }]);
    await world.spoke.patch(configMap, { ref, patch: { metadata: { finalizers: [] } } }, signal);
    await toBeGone('held');
    expect(await appliedWorkOf(world, 'held')).toBeUndefined();
  });

  test('leaves an object to the other work that has it, too', async () => {
    await createWork('both-1', [cm('both')]);
    await toBeApplied('both-1');
    await createWork('both-2', [cm('both')]);
    await toBeApplied('both-2');
    await deleteWork('both-1');
    await toBeGone('both-1');
    expect(ownersOf(await getMap('both'))).toEqual([appliedName(world, 'both-2').name]);
    await deleteWork('both-2');
    await toBeGone('both-2');
    expect(await getMap('both')).toBeUndefined();
  });

  test('with policy Orphan leaves its objects behind; without it any more they go', async () => {
    const orphan = { deleteOption: { propagationPolicy: 'Orphan' as const } };
    await createWork('orphan', [cm('orphan-1'), cm('orphan-2')], orphan);
    await toBeApplied('orphan');
    expect(ownersOf(await getMap('orphan-1'))).toEqual([]);
    await setManifests('orphan', [cm('orphan-1')]);
    await expect.poll(() => recorded('orphan'), prompt).toMatchObject([{ name: 'orphan-1' }]);
    expect(await getMap('orphan-2')).toBeDefined();
    await changeWork('orphan', { deleteOption: { propagationPolicy: 'Foreground' } });
    await expect.poll(async () => ownersOf(await getMap('orphan-1')), prompt).toHaveLength(1);
    await deleteWork('orphan');
    await toBeGone('orphan');
    expect([await getMap('orphan-1'), (await getMap('orphan-2'))?.metadata.name]).toEqual([undefined, 'orphan-2']);
  });
});

describe('registration', () => {
  const cluster = () => world.hub.get(managedCluster, { name: CLUSTER }, signal);
  const claims = async () => (await cluster()).status?.clusterClaims;

  test('joins the cluster and says that it is available, and which version it runs', async () => {
    await expect
      .poll(async () => told((await cluster()).status?.conditions), prompt)
      .toEqual({
        ManagedClusterJoined: 'True ManagedClusterJoined',
        ManagedClusterConditionAvailable: 'True ManagedClusterAvailable',
      });
    expect((await cluster()).status?.version?.kubernetes).toMatch(/^v1\./);
  });

  test('brings claims at once, and takes them away', async () => {
    const kernels = { metadata: { name: 'kernel-versions.kmm.node.kubernetes.io' }, spec: { value: '6.1.0-53-amd64' } };
    await world.spoke.create(clusterClaim, kernels, signal);
    await expect.poll(claims, prompt).toEqual([{ name: kernels.metadata.name, value: '6.1.0-53-amd64' }]);
    await world.spoke.delete(clusterClaim, { name: kernels.metadata.name }, signal);
    await expect.poll(claims, prompt).toEqual([]);
  });

  test('renews the lease', async () => {
    const renewed = async () =>
      (await world.hub.get(lease, { namespace: CLUSTER, name: 'managed-cluster-lease' }, signal)).spec?.renewTime;
    const before = await renewed();
    await expect.poll(renewed, prompt).not.toBe(before);
  });
});

describe('a settled cluster', () => {
  const onServer = { type: 'ServerSideApply' as const, serverSideApply: { force: true } };
  const configs = [
    { ...configMapConfig('settled-1'), feedbackRules: [{ type: 'WellKnownStatus' as const }] },
    { ...configMapConfig('settled-2'), updateStrategy: onServer },
  ];
  beforeAll(async () => {
    await createWork('settled', [cm('settled-1'), cm('settled-2')], { manifestConfigs: configs });
    await vi.waitFor(async () => expect(await recorded('settled')).toHaveLength(2), prompt);
  });
  const versions = async () => {
    const objects = [await appliedWorkOf(world, 'settled'), await getMap('settled-1'), await getMap('settled-2')];
    const onHub = [await getWork('settled'), await world.hub.get(managedCluster, { name: CLUSTER }, signal)];
    return [...objects, ...onHub].map((object) => object?.metadata.resourceVersion ?? 'gone');
  };
  const passes = async () => {
    const counts = (await world.metrics()).matchAll(
      /^kmm_hub_reconcile_total\{controller="manifest-work".*\} (\d+)$/gm,
    );
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  test('is looked at again and again, and nothing is written', async () => {
    const [before, start] = [await versions(), await passes()];
    expect(before).not.toContain('gone');
    await expect.poll(passes, { ...prompt, timeout: 120_000 }).toBeGreaterThan(start + 50);
    expect(await versions()).toEqual(before);
  });

  test('costs no write when the agent restarts', async () => {
    const before = await versions();
    await world.restartAgent();
    await expect.poll(passes, { ...prompt, timeout: 120_000 }).toBeGreaterThan(50);
    expect(await versions()).toEqual(before);
  });
});

test('what a vanished work applied goes after the time of grace', async () => {
  await createWork('vanished', [cm('vanished')]);
  await expect.poll(() => recorded('vanished'), prompt).toHaveLength(1);
  await world.restartAgent(async () => {
    const patch = { metadata: { finalizers: [] } };
    await world.hub.patch(works, { ref: { namespace: CLUSTER, name: 'vanished' }, patch }, signal);
    await deleteWork('vanished');
    expect(await getWork('vanished')).toBeUndefined();
  });
  await expect.poll(() => appliedWorkOf(world, 'vanished'), prompt).toBeUndefined();
  expect(await getMap('vanished')).toBeUndefined();
});

test('the record of an earlier hub goes in time when it is of this agent, and that of another agent stays', async () => {
  const agentID = appliedName(world, 'x').name.slice(0, 64); // an agent without --agent-id is named after its hub
  const record = (name: string, agent: string) =>
    world.spoke.create(
      appliedManifestWork,
      { metadata: { name }, spec: { hubHash: 'f'.repeat(64), manifestWorkName: name, agentID: agent } },
      signal,
    );
  const there = async (name: string) =>
    (await world.spoke.getIfPresent(appliedManifestWork, { name }, signal)) !== undefined;
  await record('of-another', 'another');
  await record('of-an-earlier-hub', agentID);
  await expect.poll(() => there('of-an-earlier-hub'), prompt).toBe(false); // both were seen by then, in this order
  const another = await world.spoke.get(appliedManifestWork, { name: 'of-another' }, signal);
  expect(another.status?.evictionStartTime).toBeUndefined();
});

const widgetCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.example' },
  spec: {
    group: 'test.example',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as KubeObject;

async function watchWork(name: string) {
  const select = { namespace: CLUSTER, fieldSelector: `metadata.name=${name}` };
  const { resourceVersion } = await world.hub.list(works, select, signal);
  return world.hub.watch(works, { ...select, resourceVersion, timeoutSeconds: 120 }, signal);
}
