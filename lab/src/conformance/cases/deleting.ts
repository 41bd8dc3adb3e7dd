import type { ManifestWorkSpec } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import { configMapManifest as cm, ownerNames, workTold } from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGone, becomesGood, recordedNames } from './common.ts';

const ORPHAN = { propagationPolicy: 'Orphan' as const };

async function thereAre(stage: Stage, ...names: string[]): Promise<boolean[]> {
  const objects = await Promise.all(names.map((name) => stage.configMap(name)));
  return objects.map((object) => object !== undefined);
}

function orphaning(stage: Stage, name: string): NonNullable<ManifestWorkSpec['deleteOption']> {
  const rule = { group: '', resource: 'configmaps', name, namespace: stage.namespace };
  return { propagationPolicy: 'SelectivelyOrphan', selectivelyOrphans: { orphaningRules: [rule] } };
}

/** What goes with a work, what stays, and in which order. */
export const deleting: ConformanceCase[] = [
  {
    number: '11',
    title: 'an object of two works stays until the second one is deleted, too',
    async run(stage) {
      const manifests = [cm(stage.namespace, 'cm1')];
      await stage.createWork('w1', manifests);
      await stage.createWork('w2', manifests);
      const owners = async () => ownerNames(await stage.configMap('cm1')).sort();
      const both = [stage.appliedName('w1'), stage.appliedName('w2')].sort();
      await stage.becomes('owners of the object', { read: owners, expected: both });
      await becomesGood(stage, 'w1');
      await becomesGood(stage, 'w2');
      const uid = (await stage.configMap('cm1'))?.metadata.uid;
      await stage.deleteWork('w1');
      await becomesGone(stage, 'w1');
      const state = async () => ({ owners: await owners(), uid: (await stage.configMap('cm1'))?.metadata.uid });
      const expected = { owners: [stage.appliedName('w2')], uid };
      await stage.stays('the object after the end of the first work', { read: state, expected });
      await stage.deleteWork('w2');
      await becomesGone(stage, 'w2');
      stage.is('the object is there', await thereAre(stage, 'cm1'), [false]);
    },
  },
  {
    number: '12',
    title: 'a deleted work goes last: after its objects and its AppliedManifestWork',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
      await becomesGood(stage, 'w');
      const limitSeconds = Math.ceil(stage.limits.promptMs / 1000);
      const events = await stage.watchWork('w', limitSeconds);
      await stage.deleteWork('w');
      let last = 'nothing';
      for await (const { type } of events) {
        last = type;
        if (type === 'DELETED') break;
      }
      stage.is(`last event of the work within ${limitSeconds} s`, last, 'DELETED');
      const left = [(await stage.appliedWork('w')) !== undefined, ...(await thereAre(stage, 'cm1'))];
      stage.is('AppliedManifestWork and object are there when the work is gone', left, [false, false]);
    },
  },
  {
    number: '13',
    title: 'a deleted work waits for an object that is held, and says so',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm1'] });
      await stage.editConfigMap('cm1', { metadata: { finalizers: ['conformance.example/hold'] } });
      await stage.deleteWork('w');
      const read = async () => {
        const [work, applied] = [await stage.work('w'), await stage.appliedWork('w')];
        const deleting = [work, applied].map((object) => object?.metadata.deletionTimestamp !== undefined);
        return { told: workTold(work, 'Deleting'), deleting, recorded: await recordedNames(stage, 'w') };
      };
      const expected = { told: { Deleting: 'True WorkDeleting' }, deleting: [true, true], recorded: ['cm1'] };
      await stage.becomes('the deleted work', { read, expected });
      await stage.stays('the deleted work', { read, expected });
      await stage.editConfigMap('cm1', { metadata: { finalizers: null } });
      await becomesGone(stage, 'w', 4 * stage.limits.promptMs);
      stage.is('the object is there', await thereAre(stage, 'cm1'), [false]);
    },
  },
  {
    number: '14',
    title: 'a work with policy Orphan owns nothing and leaves its objects behind',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')], { deleteOption: ORPHAN });
      await becomesGood(stage, 'w');
      stage.is('owners of the object', ownerNames(await stage.configMap('cm1')), []);
      await stage.deleteWork('w');
      await becomesGone(stage, 'w');
      await stage.stays('the object is there', { read: () => thereAre(stage, 'cm1'), expected: [true] });
    },
  },
  {
    number: '15',
    title: 'a work with policy SelectivelyOrphan leaves behind exactly what its rules name',
    async run(stage) {
      const manifests = [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')];
      await stage.createWork('w', manifests, { deleteOption: orphaning(stage, 'cm1') });
      await becomesGood(stage, 'w');
      await stage.deleteWork('w');
      await becomesGone(stage, 'w');
      await stage.stays('the objects are there', {
        read: () => thereAre(stage, 'cm1', 'cm2'),
        expected: [true, false],
      });
      const third = [cm(stage.namespace, 'cm3')];
      await stage.createWork('wildcard', third, { deleteOption: orphaning(stage, '*') });
      await becomesGood(stage, 'wildcard');
      await stage.deleteWork('wildcard');
      await becomesGone(stage, 'wildcard');
      stage.is('the object of a rule with a wildcard is there', await thereAre(stage, 'cm3'), [false]);
    },
  },
  {
    number: '16',
    title: 'an object that was orphaned is owned again when the policy goes',
    async run(stage) {
      await stage.createWork('w', [cm(stage.namespace, 'cm1')], { deleteOption: ORPHAN });
      await becomesGood(stage, 'w');
      await stage.changeWork('w', { deleteOption: null as never }); // as a merge patch takes a field out
      await stage.becomes('owners of the object', {
        read: async () => ownerNames(await stage.configMap('cm1')),
        expected: [stage.appliedName('w')],
      });
      await stage.deleteWork('w');
      await becomesGone(stage, 'w');
      stage.is('the object is there', await thereAre(stage, 'cm1'), [false]);
    },
  },
  {
    number: '17',
    title: 'an orphaned object stays when its manifest is dropped',
    async run(stage) {
      const [cm1, cm2] = [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')];
      await stage.createWork('w', [cm1, cm2], { deleteOption: ORPHAN });
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm1', 'cm2'] });
      await stage.setManifests('w', [cm2]);
      await stage.becomes('appliedResources', { read: () => recordedNames(stage, 'w'), expected: ['cm2'] });
      await stage.stays('the dropped object is there', { read: () => thereAre(stage, 'cm1'), expected: [true] });
    },
  },
];
