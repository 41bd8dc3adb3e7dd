import { configMap as configMaps } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import { configMapManifest as cm, type Manifest } from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGood, recordedNames } from './common.ts';

const RECONNECT_LIMIT_MS = 120_000;

/** uid and resourceVersion of every ConfigMap of the case, by name. */
async function objects(stage: Stage): Promise<Record<string, string>> {
  const { items } = await stage.bench.spoke.list(configMaps, { namespace: stage.namespace }, stage.signal);
  const own = items.filter(({ metadata }) => metadata.name.startsWith('cm'));
  return Object.fromEntries(own.map(({ metadata }) => [metadata.name, `${metadata.uid}/${metadata.resourceVersion}`]));
}

/** Cuts the agent off its hub, changes one work and adds another meanwhile, and lets it back. */
async function cutOff(stage: Stage, forMs: number): Promise<void> {
  const { link } = stage.bench;
  await stage.createWork('w', [cm(stage.namespace, 'cm1')]);
  await stage.createWork('kept', [cm(stage.namespace, 'cm2')]);
  await becomesGood(stage, 'w');
  await becomesGood(stage, 'kept');
  const before = await objects(stage);
  link.cut();
  try {
    await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '2' })]);
    await stage.createWork('new', [cm(stage.namespace, 'cm3')]);
    const unchanged = { read: () => objects(stage), expected: before, forMs };
    await stage.stays('the objects on the spoke while the hub cannot be reached', unchanged);
  } finally {
    link.mend();
  }
  const read = async () => [(await stage.configMap('cm1'))?.data, (await stage.configMap('cm3'))?.data];
  const expected = [{ a: '2' }, { a: '1' }];
  await stage.becomes('the objects after the hub is back', { read, expected, limitMs: RECONNECT_LIMIT_MS });
  await becomesGood(stage, 'w', RECONNECT_LIMIT_MS);
  stage.is('the object that nobody changed', (await objects(stage)).cm2, before.cm2);
}

const uidOf = async (stage: Stage, name: string) => (await stage.configMap(name))?.metadata.uid;
const isEvicting = async (stage: Stage, work: string) =>
  (await stage.appliedWork(work))?.status?.evictionStartTime !== undefined;

/** Leaves the agent stopped with two works gone as if they had never been there, and starts it again. */
async function vanish(stage: Stage, manifests: Record<string, Manifest>): Promise<void> {
  const { agent } = stage.bench;
  for (const [work, manifest] of Object.entries(manifests)) {
    await stage.createWork(work, [manifest]);
    const name = manifest.metadata.name;
    await stage.becomes('appliedResources', { read: () => recordedNames(stage, work), expected: [name] });
  }
  await agent.stop();
  try {
    for (const work of Object.keys(manifests)) await stage.vanishWork(work);
  } finally {
    await agent.start();
  }
}

/** Works that vanish, and a hub that cannot be reached. */
export const disconnecting: ConformanceCase[] = [
  {
    number: '29',
    title: 'what a vanished work applied goes after the time of grace, and stays when the work is back in time',
    alone: true,
    needsEvictionGrace: true,
    async run(stage) {
      const [cm1, cm2] = [cm(stage.namespace, 'cm1'), cm(stage.namespace, 'cm2')];
      await vanish(stage, { gone: cm1, back: cm2 });
      const { evictionGraceMs = 0, startMs: limitMs, promptMs } = stage.limits;
      const uid = await uidOf(stage, 'cm2');
      await stage.becomes('evictionStartTime of the work that comes back is set', {
        read: () => isEvicting(stage, 'back'),
        expected: true,
        limitMs,
      });
      await stage.createWork('back', [cm2]);
      await stage.becomes('evictionStartTime of the work that is back is set', {
        read: () => isEvicting(stage, 'back'),
        expected: false,
      });
      await stage.becomes('AppliedManifestWork and object of the vanished work are there', {
        read: async () => [await stage.appliedWork('gone'), await stage.configMap('cm1')].map((object) => !!object),
        expected: [false, false],
        limitMs: evictionGraceMs + promptMs,
      });
      stage.is('uid of the object whose work is back', await uidOf(stage, 'cm2'), uid);
      await becomesGood(stage, 'back');
    },
  },
  {
    number: '30',
    title: 'a hub that cannot be reached for some seconds changes nothing on the spoke, and is caught up with',
    alone: true,
    run: (stage) => cutOff(stage, 5000),
  },
  {
    number: '30-slow',
    title: 'a hub that cannot be reached for a minute changes nothing on the spoke, and is caught up with',
    alone: true,
    slow: true,
    run: (stage) => cutOff(stage, 60_000),
  },
];
