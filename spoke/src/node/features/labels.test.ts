import { expect, test } from 'vitest';
import { featureLabel } from './labels.ts';

test.each([
  ['a key of a source gets the name of the source', 'cpuid.AVX', 'feature.node.kubernetes.io/cpu-cpuid.AVX'],
  ['a key with a namespace stays as it is', 'example.com/fast', 'example.com/fast'],
])('%s', (_behaviour, key, label) => {
  expect(featureLabel('cpu', key)).toBe(label);
});
