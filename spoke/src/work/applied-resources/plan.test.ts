import { expect, test } from 'vitest';
import { planCleanUp, sortedResources, untracked } from './plan.ts';

const ownerUid = 'mine';
const own = { apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork', name: 'w', uid: ownerUid };
const recorded = { version: 'v1', resource: 'configmaps', namespace: 't', name: 'cm1', uid: 'u1' };
const live = (metadata: object = {}) => ({ metadata: { name: 'cm1', uid: 'u1', ownerReferences: [own], ...metadata } });

test.each([
  ['deletes what only this work owns', live(), 'delete'],
  ['forgets what is gone', undefined, 'forget'],
  ['forgets what it does not own', live({ ownerReferences: [] }), 'forget'],
  ['steps back from what another work owns too', live({ ownerReferences: [own, { ...own, uid: 'other' }] }), 'disown'],
  [
    'deletes what something of the spoke owns too',
    live({ ownerReferences: [own, { ...own, kind: 'Pod', uid: 'p' }] }),
    'delete',
  ],
  ['forgets what was made again', live({ uid: 'u2' }), 'forget'],
  ['waits for what is being deleted', live({ deletionTimestamp: '2026-01-01T00:00:00Z' }), 'wait'],
])('a clean-up %s', (_fact, object, want) => {
  expect(planCleanUp({ recorded, live: object, ownerUid })).toBe(want);
});

test('an object is still wanted under another version, and with the group of the core left out or empty', () => {
  const cm2 = { ...recorded, name: 'cm2' };
  expect(untracked([recorded, cm2], [{ ...recorded, group: '', version: 'v2', uid: 'other' }])).toEqual([cm2]);
});

test('the record has one order, whatever order it was found in', () => {
  const list = [
    { ...recorded, group: 'b' },
    { ...recorded, version: 'v2' },
    { ...recorded, name: 'cm0' },
    recorded,
    { ...recorded, namespace: 'a' },
  ];
  const sorted = sortedResources(list);
  expect(sorted).toEqual([list[4], list[2], list[3], list[1], list[0]]);
  expect(sortedResources([...list].reverse())).toEqual(sorted);
});
