import { configMap as configMaps, type ManifestConfig, type Resource } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import {
  configMapManifest as cm,
  conditionIn,
  configMapConfig,
  crdResource,
  customKind,
  fedBack,
  GROUP,
  MANIFEST_APPLIED,
  type Manifest,
  manifestTold,
  WORK_APPLIED,
  workTold,
} from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGood, recordedNames } from './common.ts';

const DRIFT_LIMIT_MS = 6.5 * 60_000;

/** The work says that its only object is missing, and that it was applied all the same. */
async function missed(stage: Stage): Promise<void> {
  await stage.becomes('the work after its object went', {
    read: async () => {
      const work = await stage.work('w');
      const message = conditionIn(work?.status?.conditions, 'Available')?.message;
      return { work: workTold(work, 'Applied', 'Available'), manifest: manifestTold(work, 0, 'Available'), message };
    },
    expected: {
      work: { ...WORK_APPLIED, Available: 'False ResourcesNotAvailable' },
      manifest: { Available: 'False ResourceNotAvailable' },
      message: '1 of 1 resources are not available',
    },
    limitMs: stage.limits.statusMs,
  });
}

async function removedOnSpoke(stage: Stage): Promise<void> {
  await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
  await becomesGood(stage, 'w');
  await stage.removeFromSpoke(configMaps, 'cm1');
  await missed(stage);
}

const deployments: Resource<Manifest & { status?: { availableReplicas?: number } }> = {
  ...{ group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
};
const pods: Resource<Manifest> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

function deploymentManifest(namespace: string): Manifest {
  const labels = { app: 'conformance' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'registry.invalid/none' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace }, spec };
}

/** No kubelet is there to start the pod of the Deployment, so it is told to be ready. */
async function makePodReady(stage: Stage): Promise<void> {
  const { spoke } = stage.bench;
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() };
  await stage.becomes('pods of the Deployment are ready', {
    read: async () => {
      const { items } = await spoke.list(pods, { namespace: stage.namespace }, stage.signal);
      for (const { metadata } of items) {
        const status = { phase: 'Running', conditions: [ready] };
        await spoke.patch(pods, { ref: metadata, patch: { status }, subresource: 'status' }, stage.signal);
      }
      return items.length;
    },
    expected: 1,
  });
}

type FeedbackRules = NonNullable<ManifestConfig['feedbackRules']>;
const wellKnown: FeedbackRules = [{ type: 'WellKnownStatus' }];
type JsonPath = { name: string; path: string; version?: string };
const byPath = (...jsonPaths: JsonPath[]): FeedbackRules => [{ type: 'JSONPaths', jsonPaths }];

/** What an agent sees by looking at the objects on the spoke, and that it writes nothing when there is nothing new. */
export const looking: ConformanceCase[] = [
  {
    number: '25',
    title: 'nothing is written when nothing changes',
    async run(stage) {
      const ssa = { updateStrategy: { type: 'ServerSideApply' as const, serverSideApply: { force: true } } };
      const manifestConfigs = [
        configMapConfig(stage.namespace, 'cm1', { feedbackRules: byPath({ name: 'a', path: '.data.a' }) }),
        configMapConfig(stage.namespace, 'cm2', ssa),
      ];
      await stage.createWork('w', [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')], { manifestConfigs });
      await becomesGood(stage, 'w');
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm1', 'cm2'] });
      await stage.becomes('feedback', {
        read: async () => fedBack(await stage.work('w')),
        expected: { a: '1' },
        limitMs: stage.limits.statusMs,
      });
      const versions = async () => {
        const onSpoke = [await stage.appliedWork('w'), await stage.configMap('cm1'), await stage.configMap('cm2')];
        return [await stage.work('w'), ...onSpoke].map((object) => object?.metadata.resourceVersion);
      };
      const expected = await versions();
      const forMs = 5 * stage.limits.quietMs;
      await stage.stays('resource versions of work, record and objects', { read: versions, expected, forMs });
    },
  },
  {
    number: '26',
    title: 'an object that is deleted on the spoke is missed, and made again when the work is touched',
    async run(stage) {
      await removedOnSpoke(stage);
      await stage.touch('w');
      await becomesGood(stage, 'w');
      stage.is('the object is there', (await stage.configMap('cm1')) !== undefined, true);
    },
  },
  {
    number: '26-slow',
    title: 'an object that is deleted or edited on the spoke is put right within 6.5 minutes by itself',
    slow: true,
    async run(stage) {
      await stage.createWork('edited', [cm(stage.namespace, 'cm2')]);
      await becomesGood(stage, 'edited');
      await stage.editConfigMap('cm2', { data: { a: 'theirs' } });
      await removedOnSpoke(stage);
      await becomesGood(stage, 'w', DRIFT_LIMIT_MS);
      await stage.becomes('data of the edited object', {
        read: async () => (await stage.configMap('cm2'))?.data,
        expected: { a: '1' },
        limitMs: DRIFT_LIMIT_MS,
      });
    },
  },
  {
    number: '27',
    title: 'JSONPath feedback brings integers, strings and booleans, and tells of paths that cannot be fed back',
    async run(stage) {
      const probe = customKind('Probething');
      await stage.createOnSpoke(crdResource, probe.crd);
      const status = { count: 3, ok: true, conditions: [{ type: 'Ready', reason: 'Fine' }] };
      const good: JsonPath[] = [
        { name: 'count', path: '.status.count' },
        { name: 'reason', path: '.status.conditions[?(@.type=="Ready")].reason' },
        { name: 'ok', path: '.status.ok', version: 'v1' },
        { name: 'missing', path: '.status.missing' },
        { name: 'size', path: '.spec.size' },
        { name: 'label', path: '.metadata.labels.l' },
      ];
      const bad: JsonPath[] = [
        { name: 'map', path: '.status' },
        { name: 'version', path: '.status.count', version: 'v2' },
      ];
      const resourceIdentifier = {
        group: GROUP,
        resource: probe.resource.plural,
        name: 'p',
        namespace: stage.namespace,
      };
      const configs = (...paths: JsonPath[]) => ({
        manifestConfigs: [{ resourceIdentifier, feedbackRules: byPath(...paths) }],
      });
      const { metadata, ...rest } = probe.manifest(stage.namespace, 'p', { spec: { size: 1 } });
      const manifest = { ...rest, metadata: { ...metadata, labels: { l: 'x' } } };
      await stage.createWork('w', [manifest], configs(...good, ...bad));
      await becomesGood(stage, 'w', 2 * stage.limits.promptMs);
      await stage.edit(probe.resource, { name: 'p', status, subresource: 'status' });
      const values = { count: 3, reason: 'Fine', ok: true, size: 1, label: 'x' };
      const read = async () => {
        const work = await stage.work('w');
        return { values: fedBack(work), ...manifestTold(work, 0, 'StatusFeedbackSynced') };
      };
      const { statusMs: limitMs } = stage.limits;
      const failed = { values, StatusFeedbackSynced: 'False StatusFeedbackSyncFailed' };
      await stage.becomes('feedback with paths to a map and for another version', { read, expected: failed, limitMs });
      await stage.changeWork('w', configs(...good));
      const synced = { values, StatusFeedbackSynced: 'True StatusFeedbackSynced' };
      await stage.becomes('feedback without them', { read, expected: synced, limitMs });
    },
  },
  {
    number: '28',
    title: 'well-known feedback knows a Deployment and no ConfigMap; of two configs the first one counts',
    async run(stage) {
      const { namespace, limits } = stage;
      const deployment = { group: 'apps', resource: 'deployments', name: 'd', namespace };
      const manifestConfigs = [
        { resourceIdentifier: deployment, feedbackRules: wellKnown },
        configMapConfig(namespace, '*', { feedbackRules: byPath({ name: 'first', path: '.data.a' }) }),
        configMapConfig(namespace, 'cm1', { feedbackRules: byPath({ name: 'second', path: '.data.a' }) }),
      ];
      await stage.createWork('w', [deploymentManifest(namespace), cm(namespace, 'cm1')], { manifestConfigs });
      const unknown = [configMapConfig(namespace, 'cm2', { feedbackRules: wellKnown })];
      await stage.createWork('unknown', [cm(namespace, 'cm2')], { manifestConfigs: unknown });
      await becomesGood(stage, 'w');
      await makePodReady(stage);
      await stage.becomes('status of the Deployment', {
        read: async () => (await stage.read(deployments, { name: 'd', namespace }))?.status?.availableReplicas,
        expected: 1,
      });
      await stage.becomes('feedback', {
        read: async () => {
          const work = await stage.work('w');
          return { deployment: fedBack(work, 0), configMap: fedBack(work, 1) };
        },
        expected: {
          deployment: { ReadyReplicas: 1, Replicas: 1, AvailableReplicas: 1 },
          configMap: { first: '1' },
        },
        limitMs: limits.statusMs,
      });
      await stage.becomes('well-known feedback of a ConfigMap', {
        read: async () => manifestTold(await stage.work('unknown'), 0, 'Applied', 'StatusFeedbackSynced'),
        expected: { ...MANIFEST_APPLIED, StatusFeedbackSynced: 'False StatusFeedbackSyncFailed' },
        limitMs: limits.statusMs,
      });
    },
  },
];
