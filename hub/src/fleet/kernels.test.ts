import { KERNEL_VERSIONS_CLAIM } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { clusterWith, inventoryWith } from '../test-objects.fixture.ts';
import { architectureOf, kernelsOfCluster } from './kernels.ts';

const many = Array.from({ length: 100 }, (_, index) => `6.1.${String(index).padStart(3, '0')}`);

test.each<[string, { claim?: string; inventory?: string[]; kernels: string[] }]>([
  ['a cluster that reported nothing has none', { kernels: [] }],
  ['the claim lists one a line', { claim: '6.12.0-1\n6.1.0-53', kernels: ['6.1.0-53', '6.12.0-1'] }],
  [
    'the inventory adds what the claim had no room for (W24)',
    { claim: '6.1.0', inventory: ['6.2.0'], kernels: ['6.1.0', '6.2.0'] },
  ],
  ['a kernel that both list counts once', { claim: '6.1.0', inventory: ['6.1.0'], kernels: ['6.1.0'] }],
  ['a kernel leaves when neither lists it', { claim: '6.2.0', inventory: [], kernels: ['6.2.0'] }],
  ['a blank line is no kernel (W24)', { claim: '6.1.0\n\n \n', kernels: ['6.1.0'] }],
  [
    'what is no kernel version is dropped',
    { claim: '6.1.0\n$(reboot)\n../../etc', inventory: ['a b'], kernels: ['6.1.0'] },
  ],
  ['a trailing + is kept', { claim: '6.1.0+', kernels: ['6.1.0+'] }],
  ['of more than 64 the rest is dropped', { inventory: many, kernels: many.slice(0, 64) }],
])('%s', (_rule, { claim, inventory, kernels }) => {
  const cluster = clusterWith({ claims: claim === undefined ? {} : { [KERNEL_VERSIONS_CLAIM]: claim } });
  expect(kernelsOfCluster(cluster, inventory && inventoryWith({ kernelVersions: inventory }))).toEqual(kernels);
});

test('a cluster that is not known has no kernels', () => {
  expect(kernelsOfCluster(undefined, undefined)).toEqual([]);
});

test('a kernel has the architecture that the inventory says, else amd64', () => {
  const group = { kernelVersion: '6.1.0', architecture: 'arm64', count: 1, nodes: [], features: {} };
  const inventory = inventoryWith({ groups: [group] });
  expect(['6.1.0', '6.2.0'].map((kernel) => architectureOf(inventory, kernel))).toEqual(['arm64', 'amd64']);
  expect(architectureOf(undefined, '6.1.0')).toBe('amd64');
});
