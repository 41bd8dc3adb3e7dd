import type { ManifestWorkSpec, UpdateStrategy } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import {
  configMapManifest as cm,
  configMapConfig,
  crdResource,
  customKind,
  MANIFEST_APPLIED,
  MANIFEST_FAILED,
  manifestTold,
} from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGood } from './common.ts';
import { appliesSent } from './server-metrics.ts';

type Specs = Pick<ManifestWorkSpec, 'manifestConfigs'>;
type ServerSideApply = NonNullable<UpdateStrategy['serverSideApply']>;

function onServer(stage: Stage, serverSideApply: ServerSideApply): Specs {
  return {
    manifestConfigs: [
      configMapConfig(stage.namespace, 'cm1', { updateStrategy: { type: 'ServerSideApply', serverSideApply } }),
    ],
  };
}

const dataOf = async (stage: Stage) => (await stage.configMap('cm1'))?.data;

/** A work with ignoreFields for `.data.k`, applied and then edited by somebody on the spoke: k=1 → k=2. */
async function editedByOthers(stage: Stage, condition: 'OnSpokePresent' | 'OnSpokeChange'): Promise<void> {
  const ignoreFields = [{ condition, jsonPaths: ['.data.k'] }];
  await stage.createWork(
    'w',
    [cm(stage.namespace, 'cm1', { a: '1', k: '1' })],
    onServer(stage, { force: true, ignoreFields }),
  );
  await becomesGood(stage, 'w');
  stage.is('data as created', await dataOf(stage), { a: '1', k: '1' });
  await stage.applyAs('somebody', cm(stage.namespace, 'cm1', { k: '2' }));
}

const HASH = 'open-cluster-management.io/config-spec-hash';

/** ServerSideApply beside other managers, with and without ignoreFields. */
export const serverSideApply: ConformanceCase[] = [
  {
    number: '20',
    title: 'ServerSideApply loses to another manager without a storm of tries, and wins by force',
    async run(stage) {
      const held = customKind('Heldthing');
      await stage.createOnSpoke(crdResource, held.crd);
      const thing = (value: string) => held.manifest(stage.namespace, 'thing', { spec: { a: value } });
      const somebody = { type: 'apply' as const, fieldManager: 'somebody', patch: thing('theirs') };
      const ref = { name: 'thing', namespace: stage.namespace };
      const { spoke } = stage.bench;
      const applyAsSomebody = () => spoke.patch(held.resource, { ...somebody, ref }, stage.signal);
      await stage.becomes('the CRD is served', { read: async () => Boolean(await applyAsSomebody()), expected: true });
      const { group, plural: resource } = held.resource;
      const resourceIdentifier = { group, resource, name: 'thing', namespace: stage.namespace };
      const configs = (force: boolean): Specs => ({
        manifestConfigs: [
          { resourceIdentifier, updateStrategy: { type: 'ServerSideApply', serverSideApply: { force } } },
        ],
      });
      await stage.createWork('w', [thing('mine')], configs(false));
      const applied = async () => manifestTold(await stage.work('w'), 0, 'Applied');
      await stage.becomes('the manifest', {
        read: applied,
        expected: MANIFEST_FAILED,
        limitMs: 2 * stage.limits.promptMs,
      });
      const before = await appliesSent(spoke, resource, stage.signal);
      await stage.stays('the manifest', { read: applied, expected: MANIFEST_FAILED, forMs: 30_000 });
      const sent = (await appliesSent(spoke, resource, stage.signal)) - before;
      stage.is(`at most 5 of the ${sent} PATCHes in 30 s`, sent <= 5, true);
      await stage.changeWork('w', configs(true));
      await stage.becomes('the manifest by force', { read: applied, expected: MANIFEST_APPLIED });
      stage.is('the value by force', (await stage.read(held.resource, ref))?.spec, { a: 'mine' });
    },
  },
  {
    number: '21',
    title: 'ServerSideApply under a name of its own leaves fields of others alone',
    async run(stage) {
      const mine = onServer(stage, { force: true, fieldManager: 'work-agent-x' });
      await stage.createWork('w', [cm(stage.namespace, 'cm1', { a: '1' })], mine);
      await becomesGood(stage, 'w');
      await stage.applyAs('somebody', cm(stage.namespace, 'cm1', { b: '1' }));
      await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '2' })]);
      await stage.becomes('data', { read: () => dataOf(stage), expected: { a: '2', b: '1' } });
      const managers = (await stage.configMap('cm1'))?.metadata.managedFields as {
        manager: string;
        operation: string;
      }[];
      const operations = managers.flatMap(({ manager, operation }) => (manager === 'work-agent-x' ? [operation] : []));
      stage.is('operations of the manager work-agent-x', operations.includes('Apply'), true);
    },
  },
  {
    number: '22',
    title: 'a field that is ignored OnSpokePresent is created, and then left to others for good',
    async run(stage) {
      await editedByOthers(stage, 'OnSpokePresent');
      await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '2', k: '9' })]);
      await stage.becomes('data', { read: () => dataOf(stage), expected: { a: '2', k: '2' } });
      const annotations = (await stage.configMap('cm1'))?.metadata.annotations ?? {};
      stage.is(`the annotation ${HASH} is there`, HASH in annotations, true);
    },
  },
  {
    number: '23',
    title: 'a field that is ignored OnSpokeChange is left to others until the manifest changes',
    async run(stage) {
      await editedByOthers(stage, 'OnSpokeChange');
      await stage.touch('w');
      await stage.stays('data after a touch', { read: () => dataOf(stage), expected: { a: '1', k: '2' } });
      await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '1', k: '9' })]);
      await stage.becomes('data after a change', { read: () => dataOf(stage), expected: { a: '1', k: '9' } });
    },
  },
];
