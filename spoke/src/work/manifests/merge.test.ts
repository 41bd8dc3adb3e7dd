import type { KubeObject } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import type { Manifest } from './manifest.ts';
import { mergeForUpdate, objectToApply, objectToCreate } from './merge.ts';

const owner = { apiVersion: 'v1', kind: 'AppliedManifestWork', name: 'hash-w', uid: 'u1' };
const manifest = (more: object = {}, metadata: object = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cm1', namespace: 't', ...metadata },
    ...more,
  }) as Manifest;
const live = (more: object = {}, metadata: object = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'cm1',
      namespace: 't',
      uid: 'live',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [{}],
      ownerReferences: [owner],
      ...metadata,
    },
    ...more,
  }) as KubeObject;

test('an object that is as the manifest says is left alone, whatever else it carries', () => {
  const carried = { labels: { mine: '1', theirs: '2' }, annotations: { theirs: '2' }, finalizers: ['test/hold'] };
  const given = manifest({ data: { a: '1' } }, { labels: { mine: '1' } });
  expect(mergeForUpdate(live({ data: { a: '1' }, status: { x: 1 } }, carried), given, [owner])).toBeUndefined();
});

test.each<[string, object, object]>([
  ['order of keys', { spec: { a: 1, b: 2 } }, { spec: { b: 2, a: 1 } }],
  ['null and nothing', { spec: { a: 1 } }, { spec: { a: 1, b: null } }],
])('%s makes no difference', (_what, given, wanted) => {
  expect(mergeForUpdate(live(given), manifest(wanted), [owner])).toBeUndefined();
});

test('an empty selector is not the same as none', () => {
  const update = mergeForUpdate(live({ spec: {} }), manifest({ spec: { selector: {} } }), [owner]);
  expect(update).toMatchObject({ spec: { selector: {} } });
});

test('an update adds to labels and annotations, keeps finalizers and replaces the rest', () => {
  const carried = { labels: { a: 'old', theirs: '2' }, annotations: { theirs: '2' }, finalizers: ['test/hold'] };
  const given = manifest({ data: { a: '2' } }, { labels: { a: 'new' }, annotations: { mine: '1' } });
  expect(mergeForUpdate(live({ data: { a: '1', added: 'x' }, status: { x: 1 } }, carried), given, [owner])).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'cm1',
      namespace: 't',
      uid: 'live',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { a: 'new', theirs: '2' },
      annotations: { theirs: '2', mine: '1' },
      finalizers: ['test/hold'],
      ownerReferences: [owner],
    },
    data: { a: '2' },
  });
});

test('an owner that has to go is reason enough to write', () => {
  expect(mergeForUpdate(live(), manifest(), [])?.metadata.ownerReferences).toEqual([]);
});

test('what is made holds nothing that only the server may set', () => {
  const given = manifest({ data: {}, status: { x: 1 } }, { uid: 'x', creationTimestamp: null, managedFields: [{}] });
  const content = { apiVersion: 'v1', kind: 'ConfigMap', data: {} };
  expect(objectToCreate(given, [owner])).toEqual({
    ...content,
    metadata: { name: 'cm1', namespace: 't', ownerReferences: [owner] },
  });
  expect(objectToApply(given)).toEqual({ ...content, metadata: { name: 'cm1', namespace: 't' } });
});
