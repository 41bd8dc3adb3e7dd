import { configMap as configMaps, type ManifestWorkSpec, type UpdateStrategy } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import {
  configMapManifest as cm,
  configMapConfig,
  fedBack,
  MANIFEST_APPLIED,
  manifestTold,
  ownerNames,
} from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGone, becomesGood } from './common.ts';

type Specs = Pick<ManifestWorkSpec, 'manifestConfigs'>;

function strategy(stage: Stage, name: string, updateStrategy: UpdateStrategy): Specs {
  return { manifestConfigs: [configMapConfig(stage.namespace, name, { updateStrategy })] };
}

const dataOf = async (stage: Stage, name = 'cm1') => (await stage.configMap(name))?.data;

/** Update, CreateOnly and ReadOnly. */
export const strategies: ConformanceCase[] = [
  {
    number: '18',
    title: 'CreateOnly creates, adopts what is there already, and changes nothing after that',
    async run(stage) {
      const createOnly = (name: string) => strategy(stage, name, { type: 'CreateOnly' });
      await stage.createWork('new', [cm(stage.namespace, 'cm1', { a: '1' })], createOnly('cm1'));
      await becomesGood(stage, 'new');
      const { generation } = (await stage.setManifests('new', [cm(stage.namespace, 'cm1', { a: '2' })])).metadata;
      await stage.becomes('the manifest after a change', {
        read: async () => {
          const work = await stage.work('new');
          const observed = work?.status?.conditions?.find(({ type }) => type === 'Applied')?.observedGeneration;
          return { observed, ...manifestTold(work, 0, 'Applied') };
        },
        expected: { observed: generation, ...MANIFEST_APPLIED },
      });
      stage.is('data after a change', await dataOf(stage), { a: '1' });
      await stage.createOnSpoke(configMaps, cm(stage.namespace, 'theirs', { a: 'theirs' }));
      await stage.createWork('old', [cm(stage.namespace, 'theirs')], createOnly('theirs'));
      await becomesGood(stage, 'old');
      const adopted = await stage.configMap('theirs');
      const seen = { data: adopted?.data, owners: ownerNames(adopted) };
      stage.is('an object that was there', seen, { data: { a: 'theirs' }, owners: [stage.appliedName('old')] });
      await stage.deleteWork('old');
      await becomesGone(stage, 'old');
      stage.is('the adopted object after its work', await dataOf(stage, 'theirs'), undefined);
    },
  },
  {
    number: '19',
    title: 'ReadOnly feeds back, and neither applies, owns nor deletes anything',
    async run(stage) {
      await stage.createOnSpoke(configMaps, cm(stage.namespace, 'cm1', { k: 'v' }));
      const feedbackRules = [{ type: 'JSONPaths' as const, jsonPaths: [{ name: 'k', path: '.data.k' }] }];
      const config = { updateStrategy: { type: 'ReadOnly' as const }, feedbackRules };
      const manifestConfigs = [configMapConfig(stage.namespace, 'cm1', config)];
      await stage.createWork('w', [cm(stage.namespace, 'cm1', { k: 'other' })], { manifestConfigs });
      const read = async () => {
        const work = await stage.work('w');
        return { ...manifestTold(work, 0, 'Applied', 'Available'), fed: fedBack(work) };
      };
      const { statusMs: limitMs } = stage.limits;
      const present = { ...MANIFEST_APPLIED, Available: 'True ResourceAvailable', fed: { k: 'v' } };
      await stage.becomes('the manifest', { read, expected: present, limitMs });
      const live = await stage.configMap('cm1');
      stage.is('the object', { data: live?.data, owners: ownerNames(live) }, { data: { k: 'v' }, owners: [] });
      await stage.removeFromSpoke(configMaps, 'cm1');
      const missing = { ...MANIFEST_APPLIED, Available: 'False ResourceNotAvailable', fed: { k: 'v' } };
      await stage.becomes('the manifest without its object', { read, expected: missing, limitMs });
      await stage.createOnSpoke(configMaps, cm(stage.namespace, 'cm1', { k: 'again' }));
      await stage.deleteWork('w');
      await becomesGone(stage, 'w');
      await stage.stays('the object after its work', { read: () => dataOf(stage), expected: { k: 'again' } });
    },
  },
  {
    number: '24',
    title:
      'Update keeps labels, annotations and finalizers of others and never takes a label away; ServerSideApply does',
    async run(stage) {
      const labelled = (data: string, labels?: Record<string, string>) => {
        const { metadata, ...rest } = cm(stage.namespace, 'cm1', { a: data });
        return { ...rest, metadata: { ...metadata, ...(labels && { labels }) } };
      };
      await stage.createWork('w', [labelled('1', { mine: '1' })]);
      await becomesGood(stage, 'w');
      const hold = 'conformance.example/hold';
      await stage.editConfigMap('cm1', {
        metadata: { labels: { theirs: '1' }, annotations: { theirs: '1' }, finalizers: [hold] },
      });
      await stage.setManifests('w', [labelled('2')]);
      const read = async () => {
        const { data, metadata } = (await stage.configMap('cm1')) ?? {};
        return {
          data,
          labels: metadata?.labels,
          theirs: metadata?.annotations?.theirs,
          held: metadata?.finalizers,
        };
      };
      const expected = { data: { a: '2' }, labels: { mine: '1', theirs: '1' }, theirs: '1', held: [hold] };
      await stage.becomes('the object after a change', { read, expected });
      await stage.editConfigMap('cm1', { metadata: { finalizers: null } });
      const forced = { updateStrategy: { type: 'ServerSideApply' as const, serverSideApply: { force: true } } };
      const manifest = (labels?: Record<string, string>) => {
        const { metadata, ...rest } = labelled('1', labels);
        return { ...rest, metadata: { ...metadata, name: 'cm2' } };
      };
      const manifestConfigs = [configMapConfig(stage.namespace, 'cm2', forced)];
      await stage.createWork('ssa', [manifest({ mine: '1' })], { manifestConfigs });
      await becomesGood(stage, 'ssa');
      await stage.setManifests('ssa', [manifest()]);
      await stage.becomes('labels of the object of ServerSideApply', {
        read: async () => (await stage.configMap('cm2'))?.metadata.labels ?? {},
        expected: {},
      });
    },
  },
];
