import type { ConfigMap } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { Cache, type Change } from './cache.ts';

function map(name: string, version: string, overrides: Partial<ConfigMap> = {}): ConfigMap {
  return { metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: version }, ...overrides };
}

function followed(cache: Cache<ConfigMap>): Change<ConfigMap>[] {
  const changes: Change<ConfigMap>[] = [];
  cache.onChange((change) => changes.push(change));
  return changes;
}

test('a listener learns of what is there, and then of every change', () => {
  const cache = new Cache<ConfigMap>();
  const [a1, a2, b1] = [map('a', '1'), map('a', '2'), map('b', '1')];
  cache.replace([a1]);
  const changes = followed(cache);
  cache.apply({ type: 'MODIFIED', object: a2 });
  cache.apply({ type: 'ADDED', object: b1 });
  cache.apply({ type: 'DELETED', object: map('a', '3') });
  cache.apply({ type: 'DELETED', object: map('a', '4') });
  cache.apply({ type: 'BOOKMARK', object: map('', '9') });
  expect(changes).toEqual([
    { key: 'n/a', current: a1 },
    { key: 'n/a', old: a1, current: a2 },
    { key: 'n/b', current: b1 },
    { key: 'n/a', old: a2 },
  ]);
  expect(cache.list()).toEqual([b1]);
});

test('a fresh list removes what is gone and tells nothing of what stayed', () => {
  const cache = new Cache<ConfigMap>();
  expect(cache.synced).toBe(false);
  cache.replace([map('a', '1'), map('b', '1')]);
  expect(cache.synced).toBe(true);
  const changes = followed(cache);
  changes.length = 0;
  cache.replace([map('b', '1'), map('c', '2')]);
  expect(changes).toEqual([
    { key: 'n/a', old: map('a', '1') },
    { key: 'n/c', current: map('c', '2') },
  ]);
});

test('an object that was deleted and made again with the same version is a change', () => {
  const cache = new Cache<ConfigMap>();
  cache.replace([map('a', '1')]);
  const again = { metadata: { ...map('a', '1').metadata, uid: 'other' } };
  cache.replace([again]);
  expect(cache.get('n/a')).toEqual(again);
});

test('keeps only what is wanted, and no managed fields', () => {
  const cache = new Cache<ConfigMap>({ trim: ({ metadata }) => ({ metadata }) });
  const big = map('a', '1', { data: { x: 'y'.repeat(1000) } });
  big.metadata.managedFields = [{}];
  cache.replace([big]);
  expect(cache.list()).toEqual([map('a', '1')]);
  expect(big.metadata.managedFields).toEqual([{}]); // the caller's object is untouched
});

test('an index follows its objects', () => {
  const byColour = ({ data }: ConfigMap) => Object.values(data ?? {});
  const cache = new Cache<ConfigMap>({ indexes: { colour: byColour } });
  const names = (colour: string) => cache.byIndex('colour', colour).map(({ metadata }) => metadata.name);
  cache.replace([map('a', '1', { data: { x: 'red', y: 'blue' } }), map('b', '1', { data: { x: 'red' } })]);
  expect([names('red'), names('blue'), names('green')]).toEqual([['a', 'b'], ['a'], []]);
  cache.apply({ type: 'MODIFIED', object: map('a', '2', { data: { x: 'green' } }) });
  cache.apply({ type: 'DELETED', object: map('b', '3') });
  expect([names('red'), names('blue'), names('green')]).toEqual([[], [], ['a']]);
  expect(() => cache.byIndex('size', '1')).toThrow('no index size');
});

test('a listener that fails keeps no other from learning the change, and its error is told', () => {
  const cache = new Cache<ConfigMap>();
  cache.onChange(() => {
    throw new Error('mine');
  });
  const changes = followed(cache);
  expect(() => cache.replace([map('a', '1'), map('b', '1')])).toThrow(AggregateError);
  expect([changes.length, cache.size, cache.synced]).toEqual([2, 2, true]);
});

test('an object that an index cannot read leaves the cache and its other indexes as they were', () => {
  const names = ({ metadata }: ConfigMap) => [metadata.name];
  const first = ({ data }: ConfigMap) => [(data as Record<string, string>).x ?? ''];
  const cache = new Cache<ConfigMap>({ indexes: { names, first } });
  cache.replace([map('a', '1', { data: { x: '1' } })]);
  expect(() => cache.apply({ type: 'MODIFIED', object: map('a', '2') })).toThrow(AggregateError);
  expect(cache.byIndex('names', 'a')).toEqual([map('a', '1', { data: { x: '1' } })]);
});
