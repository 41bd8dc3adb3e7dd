import { namespace as namespaces } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import {
  APPLIED_WORK_FINALIZER,
  appliedGeneration,
  configMapManifest as cm,
  conditionIn,
  crdResource,
  customKind,
  hubHash,
  MANIFEST_APPLIED,
  MANIFEST_FAILED,
  MANIFEST_WORK_FINALIZER,
  manifestsOf,
  manifestTold,
  namespaceManifest,
  workTold,
} from '../objects.ts';
import { becomesGood, recorded, recordedNames } from './common.ts';

/** How a work's manifests come to the spoke, and how the work tells of it. */
export const applying: ConformanceCase[] = [
  {
    number: '1',
    title: 'a new work gets its finalizer, and its AppliedManifestWork on the spoke',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
      await stage.becomes('finalizers of the work', {
        read: async () => (await stage.work('w'))?.metadata.finalizers?.includes(MANIFEST_WORK_FINALIZER) ?? false,
        expected: true,
      });
      await stage.becomes(`AppliedManifestWork ${stage.appliedName('w')}`, {
        read: async () => {
          const { metadata, spec } = (await stage.appliedWork('w')) ?? {};
          const held = metadata?.finalizers?.includes(APPLIED_WORK_FINALIZER) ?? false;
          return { held, hubHash: spec?.hubHash, manifestWorkName: spec?.manifestWorkName };
        },
        expected: { held: true, hubHash: hubHash(stage.bench.link.url), manifestWorkName: `${stage.namespace}-w` },
      });
    },
  },
  {
    number: '2',
    title: 'an applied object is owned by the AppliedManifestWork, which lists it with its uid',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
      await becomesGood(stage, 'w');
      const [applied, live] = [await stage.appliedWork('w'), await stage.configMap('cm1')];
      const { name, uid } = applied?.metadata ?? {};
      const owner = { apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork', name, uid };
      stage.is('owner references of the object', live?.metadata.ownerReferences ?? [], [owner]);
      await stage.becomes('appliedResources', {
        read: () => recorded(stage, 'w'),
        expected: [
          {
            ...{ group: '', version: 'v1', resource: 'configmaps', namespace: stage.namespace, name: 'cm1' },
            uid: live?.metadata.uid,
          },
        ],
      });
    },
  },
  {
    number: '3',
    title: 'the work and each manifest tell that they are applied and available, and for which generation',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
      await becomesGood(stage, 'w');
      await stage.becomes('status of the manifest', {
        read: async () => {
          const work = await stage.work('w');
          const { resourceMeta, conditions } = manifestsOf(work)[0] ?? {};
          const { group, ...meta } = resourceMeta ?? {};
          const conditionsTold = manifestTold(work, 0, 'Applied', 'Available', 'StatusFeedbackSynced');
          const generation = conditionIn(conditions, 'Applied')?.observedGeneration === work?.metadata.generation;
          return { group: group ?? '', meta, conditionsTold, generation };
        },
        expected: {
          group: '',
          meta: {
            ...{ ordinal: 0, version: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
            ...{ namespace: stage.namespace, name: 'cm1' },
          },
          conditionsTold: {
            ...MANIFEST_APPLIED,
            Available: 'True ResourceAvailable',
            StatusFeedbackSynced: 'True NoStatusFeedbackSynced',
          },
          generation: true,
        },
        limitMs: stage.limits.statusMs,
      });
    },
  },
  {
    number: '4',
    title: 'manifests are applied in the order of their kinds, and told in that of the spec',
    async run(stage) {
      const other = `${stage.namespace}-x`;
      await stage.createWork('w', [cm(other, 'cm1'), namespaceManifest(other)]);
      await becomesGood(stage, 'w');
      const metas = manifestsOf(await stage.work('w')).map(({ resourceMeta: { ordinal, kind } }) => [ordinal, kind]);
      stage.is('ordinals and kinds', metas, [
        [0, 'ConfigMap'],
        [1, 'Namespace'],
      ]);
    },
  },
  {
    number: '5',
    title: 'a manifest that fails stops no other, and is right once its obstacle is gone and the work is touched',
    async run(stage) {
      const other = `${stage.namespace}-y`;
      await stage.createWork('w', [cm(other, 'cm'), cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')]);
      await stage.becomes('status of the work', {
        read: async () => {
          const work = await stage.work('w');
          const manifests = [0, 1, 2].map((index) => manifestTold(work, index, 'Applied'));
          const message = conditionIn(work?.status?.conditions, 'Available')?.message;
          return { work: workTold(work, 'Applied', 'Available'), manifests, message };
        },
        expected: {
          work: { Applied: 'False AppliedManifestWorkFailed', Available: 'False ResourcesNotAvailable' },
          manifests: [MANIFEST_FAILED, MANIFEST_APPLIED, MANIFEST_APPLIED],
          message: '1 of 3 resources are not available',
        },
        limitMs: stage.limits.statusMs,
      });
      const there = [await stage.configMap('cm1'), await stage.configMap('cm2')].map((live) => live !== undefined);
      stage.is('the other objects are there', there, [true, true]);
      await stage.createOnSpoke(namespaces, { metadata: { name: other } });
      await stage.touch('w');
      await becomesGood(stage, 'w');
    },
  },
  {
    number: '6',
    title: 'a kind that the spoke does not serve is told as unknown, and applied once its CRD is there',
    async run(stage) {
      const gadget = customKind('Gadget');
      await stage.createWork('w', [gadget.manifest(stage.namespace, 'g'), cm(stage.namespace, 'cm1')]);
      await stage.becomes('status of the work', {
        read: async () => {
          const work = await stage.work('w');
          const [first] = manifestsOf(work);
          const applied = conditionIn(first?.conditions, 'Applied');
          const available = manifestTold(work, 0, 'Available').Available ?? '';
          return {
            work: workTold(work, 'Available'),
            applied: manifestTold(work, 0, 'Applied'),
            saysWhy: applied?.message.includes("the server doesn't have a resource type") ?? false,
            resource: first?.resourceMeta.resource ?? '',
            available: available.replace('Incompleted', 'Incomplete'), // as OCM's agent had it for years
          };
        },
        expected: {
          work: { Available: 'Unknown ResourcesStatusUnknown' },
          applied: MANIFEST_FAILED,
          saysWhy: true,
          resource: '',
          available: 'Unknown IncompleteResourceMeta',
        },
        limitMs: stage.limits.statusMs,
      });
      stage.is('the other object is there', (await stage.configMap('cm1')) !== undefined, true);
      await stage.createOnSpoke(crdResource, gadget.crd);
      await stage.touch('w');
      await becomesGood(stage, 'w', 2 * stage.limits.promptMs);
    },
  },
  {
    number: '7',
    title: 'a custom object and its CRD may come in one work',
    async run(stage) {
      const gizmo = customKind('Gizmo');
      await stage.createWork('w', [gizmo.manifest(stage.namespace, 'g'), gizmo.crd]);
      await becomesGood(stage, 'w', 2 * stage.limits.promptMs);
    },
  },
  {
    number: '8',
    title: 'a change of the spec comes to the spoke, and the conditions tell for which generation',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1', { a: '1' })]);
      await becomesGood(stage, 'w');
      const { generation } = (await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '2' })])).metadata;
      await stage.becomes('data and generations', {
        read: async () => {
          const work = await stage.work('w');
          const manifest = conditionIn(manifestsOf(work)[0]?.conditions, 'Applied')?.observedGeneration;
          return { data: (await stage.configMap('cm1'))?.data, work: appliedGeneration(work), manifest };
        },
        expected: { data: { a: '2' }, work: generation, manifest: generation },
      });
    },
  },
  {
    number: '9',
    title: 'a manifest that is dropped takes its object with it, and the others stay',
    async run(stage) {
      const [cm1, cm2] = [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')];
      await stage.createWork('w', [cm1, cm2]);
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm1', 'cm2'] });
      await stage.setManifests('w', [cm2]);
      await stage.becomes('what is left', {
        read: async () => {
          const metas = manifestsOf(await stage.work('w')).map(({ resourceMeta: { ordinal, name } }) => [
            ordinal,
            name,
          ]);
          const there = [await stage.configMap('cm1'), await stage.configMap('cm2')].map((live) => live !== undefined);
          return { there, recorded: await recordedNames(stage, 'w'), metas };
        },
        expected: { there: [false, true], recorded: ['cm2'], metas: [[0, 'cm2']] },
      });
    },
  },
  {
    number: '10',
    title: 'nothing that was dropped is deleted as long as one manifest cannot be told',
    async run(stage) {
      const [cm1, cm2] = [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')];
      const nowhere = customKind('Nowhere').manifest(stage.namespace, 'n');
      await stage.createWork('w', [cm1, cm2]);
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm1', 'cm2'] });
      const { generation } = (await stage.setManifests('w', [cm2, nowhere])).metadata;
      await stage.becomes('generation of the work’s Applied', {
        read: async () => appliedGeneration(await stage.work('w')),
        expected: generation,
      });
      const isThere = async () => (await stage.configMap('cm1')) !== undefined;
      await stage.stays('the dropped object is there', { read: isThere, expected: true });
      await stage.setManifests('w', [cm2]);
      await stage.becomes('the dropped object is there', { read: isThere, expected: false });
    },
  },
];
