import { CONTAINS_MODULES_LABEL, type Namespace } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { planNamespaceLabels } from './plan.ts';

const namespace = (labels?: Record<string, string>): Namespace => ({
  metadata: { name: 'a', ...(labels && { labels }) },
});
const LABEL = CONTAINS_MODULES_LABEL;

test.each<[string, Namespace | undefined, { has: boolean; labels: Record<string, string | null> | undefined }]>([
  ['is labelled when a Module comes', namespace(), { has: true, labels: { [LABEL]: '' } }],
  ['is left alone while it is labelled rightly', namespace({ [LABEL]: '' }), { has: true, labels: undefined }],
  ['gets a changed label back', namespace({ [LABEL]: 'x' }), { has: true, labels: { [LABEL]: '' } }],
  [
    'loses the label with its last Module',
    namespace({ [LABEL]: '', mine: '' }),
    { has: false, labels: { [LABEL]: null } },
  ],
  ['is left alone without Modules', namespace({ mine: '' }), { has: false, labels: undefined }],
  ['is no matter any more when it is gone', undefined, { has: false, labels: undefined }],
])('a namespace %s', (_behaviour, given, { has, labels }) => {
  expect(planNamespaceLabels(given, has)).toEqual(labels);
});
