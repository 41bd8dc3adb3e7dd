import { expect, test } from 'vitest';
import { applyOrder } from './apply-order.ts';

const manifests = (...kinds: string[]) => kinds.map((kind) => ({ kind, metadata: { name: 'x' } }));

test.each([
  ['a namespace goes before what lives in it', ['ConfigMap', 'Namespace'], [1, 0]],
  ['equals keep the order of the spec', ['Secret', 'ConfigMap', 'Secret'], [0, 1, 2]],
  [
    'each rank waits for the one before, custom kinds for all, and what has no kind comes last',
    ['', 'Module', 'APIService', 'Deployment', 'Service', 'ConfigMap', 'ServiceAccount', 'Role', 'Namespace'],
    [8, 7, 6, 5, 4, 3, 2, 1, 0],
  ],
])('%s', (_fact, kinds, want) => {
  expect(applyOrder(manifests(...kinds))).toEqual(want);
});
