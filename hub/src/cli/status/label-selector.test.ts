import type { ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { labelSelectorOf } from './status.ts';

test.each<[string, Partial<ManagedClusterModuleSpec>, string]>([
  ['nothing, where all are selected', { selector: {} }, ''],
  ['nothing, where features alone select', { featureSelector: { matchLabels: { a: 'b' } } }, ''],
  ['labels', { selector: { site: 'a', kind: 'edge' } }, 'site=a,kind=edge'],
  [
    'both selectors with every operator',
    {
      selector: { site: 'a' },
      clusterSelector: {
        matchLabels: { gpu: 'yes' },
        matchExpressions: [
          { key: 'zone', operator: 'In', values: ['x', 'y'] },
          { key: 'env', operator: 'NotIn', values: ['test'] },
          { key: 'old', operator: 'DoesNotExist' },
          { key: 'new', operator: 'Exists' },
        ],
      },
    },
    'site=a,gpu=yes,zone in (x,y),env notin (test),!old,new',
  ],
])('clusters are asked for by %s', (_what, spec, query) => {
  expect(labelSelectorOf({ spokeNamespace: 'drivers', ...spec })).toBe(query);
});
