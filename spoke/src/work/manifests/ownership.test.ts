import { expect, test } from 'vitest';
import { isOwned, ownerOf, withOwnership } from './ownership.ts';

const cm1 = { group: '', resource: 'configmaps', name: 'cm1', namespace: 't' };
const owner = ownerOf({ metadata: { name: 'hash-w', uid: 'u1' } });
const other = { ...owner, name: 'hash-w2', uid: 'u2' };
const orphaning = (rule: Partial<typeof cm1>) => ({
  propagationPolicy: 'SelectivelyOrphan' as const,
  selectivelyOrphans: { orphaningRules: [{ resource: 'configmaps', name: 'cm1', namespace: 't', ...rule }] },
});

test.each([
  ['without options', undefined, true],
  ['with policy Foreground', { propagationPolicy: 'Foreground' as const }, true],
  ['with policy Orphan', { propagationPolicy: 'Orphan' as const }, false],
  ['with a rule for it', orphaning({}), false],
  ['with a rule for another one', orphaning({ name: 'cm2' }), true],
  ['with a wildcard, which is none here', orphaning({ name: '*' }), true],
  ['with policy SelectivelyOrphan and no rule', { propagationPolicy: 'SelectivelyOrphan' as const }, true],
])('an object %s goes with its work: %s → %s', (_given, deleteOption, owned) => {
  expect(isOwned(deleteOption, cm1)).toBe(owned);
});

test('the owner is no controller', () => {
  expect(owner).toEqual({
    apiVersion: 'work.open-cluster-management.io/v1',
    kind: 'AppliedManifestWork',
    name: 'hash-w',
    uid: 'u1',
  });
});

test.each([
  ['comes beside another owner', { live: [other], owned: true }, [other, owner]],
  ['is there once', { live: [owner], owned: true }, [owner]],
  ['leaves the other owner alone when it goes', { live: [other, owner], owned: false }, [other]],
  ['need not go twice', { live: undefined, owned: false }, []],
])('the reference %s', (_fact, { live, owned }, want) => {
  expect(withOwnership(live, { owner, owned })).toEqual(want);
});
