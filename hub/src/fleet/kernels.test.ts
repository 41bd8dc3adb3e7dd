import { KERNEL_VERSIONS_CLAIM } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { clusterWith, inventoryWith } from '../test-objects.fixture.ts';
import { architecturesOf, kernelsOfCluster } from './kernels.ts';

const many = Array.from({ length: 100 }, (_, index) => `6.1.${String(index).padStart(3, '0')}`);

test.each<[string, { claim?: string; inventory?: string[]; kernels: string[]; left?: string[] }]>([
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
  ['of more than 64 the rest is left out', { inventory: many, kernels: many.slice(0, 64), left: many.slice(64) }],
])('%s', (_rule, { claim, inventory, kernels, left = [] }) => {
  const cluster = clusterWith({ claims: claim === undefined ? {} : { [KERNEL_VERSIONS_CLAIM]: claim } });
  expect(kernelsOfCluster(cluster, inventory && inventoryWith({ kernelVersions: inventory }))).toEqual({
    kernels,
    left,
  });
});

test('a cluster that is not known has no kernels', () => {
  expect(kernelsOfCluster(undefined, undefined)).toEqual({ kernels: [], left: [] });
});

const group = (kernelVersion: string, architecture: string) => ({
  ...{ kernelVersion, architecture, count: 1, nodes: [], features: {} },
});
test.each<[string, string[], string[]]>([
  ['has the architecture of its nodes', ['arm64'], ['arm64']],
  ['that nodes of two architectures run has both', ['arm64', 'amd64', 'arm64'], ['amd64', 'arm64']],
  ['of which no architecture is known is taken for amd64', [], ['amd64']],
  ['has no architecture that is no word', ['../x', '', 'A', 'arm64'], ['arm64']],
  ['has no more than four', ['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'c', 'd']],
])('a kernel %s', (_rule, reported, architectures) => {
  const groups = [...reported.map((architecture) => group('6.1.0', architecture)), group('6.2.0', 's390x')];
  expect(architecturesOf(inventoryWith({ groups }), '6.1.0')).toEqual(architectures);
});
