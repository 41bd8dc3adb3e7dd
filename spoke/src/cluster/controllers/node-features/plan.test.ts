import type { NodeFeature } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FEATURE_LABELS_ANNOTATION } from '../../caches.ts';
import { nodeFixture } from '../../objects.fixture.ts';
import { planNodeFeatures } from './plan.ts';

const P = 'feature.node.kubernetes.io/';
const feature = (labels: Record<string, string>): NodeFeature => ({ metadata: { name: 'n1' }, spec: { labels } });
const node = (labels: Record<string, string>, tracked?: string) =>
  nodeFixture('n1', { labels, ...(tracked !== undefined && { tracked }) });
const tracking = (keys: string | null) => ({ [FEATURE_LABELS_ANNOTATION]: keys });
const none = { denied: 0, invalid: 0 };

test.each<[string, Parameters<typeof planNodeFeatures>, ReturnType<typeof planNodeFeatures>]>([
  [
    'gives labels without a namespace the default one and lists all it sets',
    [node({}), feature({ 'cpu-model': '7', 'vendor.example/x': 'y' })],
    {
      patch: {
        labels: { [`${P}cpu-model`]: '7', 'vendor.example/x': 'y' },
        annotations: tracking('cpu-model,vendor.example/x'),
      },
      dropped: none,
    },
  ],
  [
    'does nothing when the Node is as wanted',
    [node({ [`${P}a`]: '1', mine: '' }, 'a'), feature({ a: '1' })],
    { dropped: none },
  ],
  [
    'takes away what it set before and no other label',
    [node({ [`${P}a`]: '1', [`${P}by-hand`]: '1', mine: '' }, 'a'), feature({ b: '2' })],
    { patch: { labels: { [`${P}a`]: null, [`${P}b`]: '2' }, annotations: tracking('b') }, dropped: none },
  ],
  [
    'takes away everything it set when the NodeFeature is gone',
    [node({ [`${P}a`]: '1', mine: '' }, 'a,gone-already'), undefined],
    { patch: { labels: { [`${P}a`]: null }, annotations: tracking(null) }, dropped: none },
  ],
  [
    'lets the key with a namespace win',
    [node({}), feature({ [`${P}a`]: 'long', a: 'short' })],
    { patch: { labels: { [`${P}a`]: 'long' }, annotations: tracking('a') }, dropped: none },
  ],
  [
    "denies Kubernetes' own namespaces, all but those for features and profiles",
    [
      node({}),
      feature({
        ...{ 'kubernetes.io/arch': 'x', 'node-role.kubernetes.io/master': '', 'kmm.node.kubernetes.io/a.b.ready': '' },
        ...{ 'sub.feature.node.kubernetes.io/a': '1', 'profile.node.kubernetes.io/b': '2' },
      }),
    ],
    {
      patch: {
        labels: { 'sub.feature.node.kubernetes.io/a': '1', 'profile.node.kubernetes.io/b': '2' },
        annotations: tracking('profile.node.kubernetes.io/b,sub.feature.node.kubernetes.io/a'),
      },
      dropped: { denied: 3, invalid: 0 },
    },
  ],
  [
    'drops what is no label',
    [node({}), feature({ 'bad key': '1', 'a/b/c': '1', ok: 'bad value', '/empty': '', [`${'x'.repeat(64)}`]: '' })],
    { dropped: { denied: 0, invalid: 5 } },
  ],
  [
    'does not believe a list that names labels it would never set',
    [
      node(
        { 'kmm.node.kubernetes.io/a.b.ready': '', 'node-role.kubernetes.io/worker': '' },
        'kmm.node.kubernetes.io/a.b.ready,node-role.kubernetes.io/worker',
      ),
      feature({}),
    ],
    { patch: { labels: {}, annotations: tracking(null) }, dropped: none },
  ],
])('planNodeFeatures %s', (_behaviour, given, plan) => {
  expect(planNodeFeatures(...given)).toEqual(plan);
});

const key = fc.constantFrom('a', 'b', `${P}a`, 'vendor.example/c', 'kubernetes.io/d', 'bad key');
const labels = fc.dictionary(key, fc.constantFrom('1', '2', 'bad value'));

test('any order of NodeFeatures ends with the labels of the last one, and one write settles it', () => {
  const property = fc.property(fc.array(labels, { minLength: 1, maxLength: 8 }), (history) => {
    let current = node({ mine: 'stays' });
    for (const wanted of history) {
      current = applied(current, planNodeFeatures(current, feature(wanted)));
      expect(planNodeFeatures(current, feature(wanted)).patch).toBeUndefined();
    }
    const last = feature(history.at(-1) ?? {});
    const fresh = node({ mine: 'stays' });
    expect(current.metadata.labels).toEqual(applied(fresh, planNodeFeatures(fresh, last)).metadata.labels);
    expect(current.metadata.labels).toHaveProperty('mine', 'stays');
  });
  fc.assert(property);
});

function applied(target: ReturnType<typeof node>, { patch }: ReturnType<typeof planNodeFeatures>) {
  const merged = (values: Record<string, string> = {}, changes: Record<string, string | null> = {}) =>
    Object.fromEntries(
      Object.entries({ ...values, ...changes }).filter((pair): pair is [string, string] => pair[1] !== null),
    );
  const { metadata } = target;
  const annotations = merged(metadata.annotations, patch?.annotations);
  return { ...target, metadata: { ...metadata, labels: merged(metadata.labels, patch?.labels), annotations } };
}
