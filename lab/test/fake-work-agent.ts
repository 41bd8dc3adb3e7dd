import {
  type AppliedManifestWork,
  appliedManifestWork,
  type ConfigMap,
  configMap,
  type ManifestWork,
  manifestWork,
  type Resource,
} from '@kmm-hub/api-types';
import { ConflictError, NotFoundError, sleep } from '@kmm-hub/kube';
import type { JudgedAgent } from '../src/conformance/agent.ts';
import {
  APPLIED_WORK_FINALIZER,
  appliedWorkName,
  hubHash,
  MANIFEST_WORK_FINALIZER,
} from '../src/conformance/objects.ts';
import type { Bench } from '../src/conformance/stage.ts';

/** What a fake agent does wrong; none: it does right, as far as it goes. */
export type Wrong = {
  /** Does nothing at all. */
  idle?: true;
  /** Applies, and never tells. */
  neverWritesStatus?: true;
  /** Tells of an old generation for ever. */
  neverSeesChanges?: true;
  /** Writes its status again and again. */
  writesWithoutNeed?: true;
  /** Lets a deleted work go before what it applied. */
  letsGoTooSoon?: true;
  /** Applies without an owner reference. */
  ownsNothing?: true;
};

const works = manifestWork as Resource<ManifestWork>;
const PAUSE_MS = 100;

/**
 * A work agent just good enough for ConfigMaps under the strategy Update, which can do one thing wrong: the judge is tried with
 * it. It has the judge's own rights.
 */
export function fakeWorkAgent(bench: Omit<Bench, 'agent'>, wrong: Wrong = {}): JudgedAgent {
  let stopping = new AbortController();
  let running: Promise<void> | undefined;
  return {
    async start() {
      stopping = new AbortController();
      running = run({ ...bench, wrong }, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

type Agent = Omit<Bench, 'agent'> & { wrong: Wrong };

async function run(agent: Agent, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { items } = agent.wrong.idle
        ? { items: [] }
        : await agent.hub.list(works, { namespace: agent.cluster }, signal);
      for (const work of items) await reconcile(agent, work, signal);
    } catch (err) {
      const passing = signal.aborted || err instanceof ConflictError || err instanceof NotFoundError;
      if (!passing) throw err;
    }
    await sleep(PAUSE_MS, signal);
  }
}

async function reconcile(agent: Agent, work: ManifestWork, signal: AbortSignal): Promise<void> {
  if (work.metadata.deletionTimestamp !== undefined) return remove(agent, work, signal);
  if (!work.metadata.finalizers?.includes(MANIFEST_WORK_FINALIZER)) {
    const patch = { metadata: { finalizers: [MANIFEST_WORK_FINALIZER] } };
    await agent.hub.patch(works, { ref: work.metadata, patch }, signal);
  }
  const record = await recordOf(agent, work, signal);
  const objects: ConfigMap[] = [];
  for (const manifest of manifestsOf(work)) objects.push(await apply(agent, { manifest, record }, signal));
  await remember(agent, { record, objects }, signal);
  if (!agent.wrong.neverWritesStatus) await tell(agent, { work, objects }, signal);
}

const manifestsOf = (work: ManifestWork) => (work.spec.workload?.manifests ?? []) as ConfigMap[];

async function recordOf(agent: Agent, work: ManifestWork, signal: AbortSignal): Promise<AppliedManifestWork> {
  const name = appliedWorkName(agent.link.url, work.metadata.name);
  const spec = { hubHash: hubHash(agent.link.url), manifestWorkName: work.metadata.name };
  const record = { metadata: { name, finalizers: [APPLIED_WORK_FINALIZER] }, spec };
  const there = await agent.spoke.getIfPresent(appliedManifestWork, { name }, signal);
  return there ?? agent.spoke.create(appliedManifestWork, record, signal);
}

async function apply(
  { spoke, wrong }: Agent,
  { manifest, record: { metadata } }: { manifest: ConfigMap; record: AppliedManifestWork },
  signal: AbortSignal,
): Promise<ConfigMap> {
  const { name, namespace = '' } = manifest.metadata;
  const owner = { apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork' };
  const ownerReferences = wrong.ownsNothing ? [] : [{ ...owner, name: metadata.name, uid: metadata.uid ?? '' }];
  const object = { ...manifest, metadata: { name, namespace, ownerReferences } };
  const live = await spoke.getIfPresent(configMap, { name, namespace }, signal);
  if (live === undefined) return spoke.create(configMap, object, signal);
  return spoke.patch(configMap, { ref: { name, namespace }, patch: { data: manifest.data } }, signal);
}

async function remember(
  { spoke }: Agent,
  { record, objects }: { record: AppliedManifestWork; objects: readonly ConfigMap[] },
  signal: AbortSignal,
): Promise<void> {
  const appliedResources = objects.map(({ metadata: { name, namespace = '', uid = '' } }) => ({
    ...{ group: '', version: 'v1', resource: 'configmaps', name, namespace, uid },
  }));
  const patch = { status: { appliedResources } };
  await spoke.patch(appliedManifestWork, { ref: record.metadata, patch, subresource: 'status' }, signal);
}

const SINCE = '2026-01-01T00:00:00Z';

async function tell(
  { hub, wrong }: Agent,
  { work, objects }: { work: ManifestWork; objects: readonly ConfigMap[] },
  signal: AbortSignal,
): Promise<void> {
  const observedGeneration = wrong.neverSeesChanges ? 1 : (work.metadata.generation ?? 0);
  const lastTransitionTime = wrong.writesWithoutNeed ? new Date().toISOString() : SINCE;
  const condition = (type: string, reason: string) => ({
    ...{ type, reason, status: 'True', message: '', lastTransitionTime, observedGeneration },
  });
  const conditions = [
    condition('Applied', 'AppliedManifestWorkComplete'),
    condition('Available', 'ResourcesAvailable'),
  ];
  const manifests = objects.map(({ metadata: { name, namespace }, data }, ordinal) => ({
    resourceMeta: { ordinal, version: 'v1', kind: 'ConfigMap', resource: 'configmaps', name, namespace },
    conditions: [
      condition('Applied', 'AppliedManifestComplete'),
      condition('Available', 'ResourceAvailable'),
      condition('StatusFeedbackSynced', 'NoStatusFeedbackSynced'),
    ],
    // whatever the rules ask for: it is right for the cases that it is judged by
    statusFeedback: { values: [{ name: 'a', fieldValue: { type: 'String', string: data?.a } }] },
  }));
  const patch = { status: { conditions, resourceStatus: { manifests } } };
  await hub.patch(works, { ref: work.metadata, patch, subresource: 'status' }, signal);
}

async function remove(agent: Agent, work: ManifestWork, signal: AbortSignal): Promise<void> {
  const letGo = () => agent.hub.patch(works, { ref: work.metadata, patch: { metadata: { finalizers: null } } }, signal);
  if (agent.wrong.letsGoTooSoon) return void (await letGo());
  const name = appliedWorkName(agent.link.url, work.metadata.name);
  for (const { metadata } of manifestsOf(work)) await agent.spoke.delete(configMap, metadata, signal);
  await agent.spoke.delete(appliedManifestWork, { name }, signal);
  const record = { ref: { name }, patch: { metadata: { finalizers: null } } };
  if (await agent.spoke.getIfPresent(appliedManifestWork, { name }, signal)) {
    await agent.spoke.patch(appliedManifestWork, record, signal);
  }
  await letGo();
}
