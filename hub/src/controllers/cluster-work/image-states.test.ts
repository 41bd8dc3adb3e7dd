import type { ManagedClusterModule, ModuleImageSpec, ModuleImageStatus } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { Demand } from '../../fleet/demand.ts';
import {
  clusterOn,
  dockerfileWith,
  fleetInMemory,
  imageWith,
  inventoryWith,
  moduleWith,
} from '../../test-objects.fixture.ts';
import { imageStates } from './image-states.ts';
import type { ImageState } from './plan.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** The state of one kernel; `status` is of the present recipe unless the test says otherwise. */
function stateOf(status: ModuleImageStatus | undefined, module: ManagedClusterModule = moduleWith()) {
  const fleet = fleetInMemory();
  fleet.modules.replace([module]);
  fleet.clusters.replace([clusterOn('c1', ['6.1.0+'])]);
  fleet.configMaps.replace([dockerfileWith('FROM scratch')]);
  const demand = new Demand(fleet);
  demand.touch('nic');
  for (const name of demand.imagesOf('nic')) {
    const spec = demand.recipeFor(name)?.recipe.spec as ModuleImageSpec;
    fleet.images.replace([
      imageWith(
        name,
        spec.recipeKey,
        status && ({ ...status, recipeKey: status.recipeKey ?? spec.recipeKey } as never),
      ),
    ]);
  }
  return Object.fromEntries(imageStates({ fleet, demand }, module, 'c1').images);
}
const ready = (reason: string, message: string) => {
  const condition = {
    type: 'Ready',
    status: 'False' as const,
    reason,
    message,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  return { conditions: [condition] };
};

test.each<[string, ModuleImageStatus | undefined, ImageState]>([
  ['an image without a status waits for a worker', undefined, { phase: 'Pending', progress: 'it waits for a worker' }],
  [
    'an image that is built is pending',
    { phase: 'Building', ...ready('Building', 'a worker builds it') },
    { phase: 'Pending', progress: 'a worker builds it' },
  ],
  [
    'a published image is named by its digest',
    { phase: 'Published', digest: DIGEST },
    { phase: 'Published', image: { reference: `r.example/nic@${DIGEST}`, tag: 'r.example/nic:6.1.0' } },
  ],
  [
    'an image of another recipe is not ours',
    { phase: 'Published', digest: DIGEST, recipeKey: 'old' },
    { phase: 'Pending', progress: 'it waits for a worker' },
  ],
  [
    'a failed image says why',
    { phase: 'Failed', ...ready('BuildFailed', 'the build failed') },
    { phase: 'Blocked', reason: 'BuildFailed', message: 'the build failed' },
  ],
  [
    'a missing image says so',
    { phase: 'Missing', ...ready('ImageNotFound', 'it is not there') },
    { phase: 'Blocked', reason: 'ImageNotFound', message: 'it is not there' },
  ],
])('%s', (_rule, status, state) => {
  expect(stateOf(status)).toEqual({ '6.1.0': state }); // kernels are trimmed, as mappings are
});

test.each([
  ['a registry with a port', 'host:5000/nic:${KERNEL_FULL_VERSION}', `host:5000/nic@${DIGEST}`],
  ['a reference that has a digest already', `r.example/nic@${DIGEST}`, `r.example/nic@${DIGEST}`],
])('%s keeps its name', (_form, containerImage, reference) => {
  const module = moduleWith({ container: { kernelMappings: [{ regexp: '.', containerImage }] } });
  expect(stateOf({ phase: 'Published', digest: DIGEST }, module)).toMatchObject({ '6.1.0': { image: { reference } } });
});

test('imageReference: Tag keeps the tag', () => {
  const module = moduleWith({ spec: { imageReference: 'Tag' } });
  expect(stateOf({ phase: 'Published', digest: DIGEST }, module)).toMatchObject({
    '6.1.0': { image: { reference: 'r.example/nic:6.1.0' } },
  });
});

test('a module that loads nothing has no images (W13)', () => {
  expect(stateOf(undefined, moduleWith({ spec: { moduleSpec: { selector: {}, devicePlugin: {} } } as never }))).toEqual(
    {},
  );
});

describe('a kernel that nodes of two architectures run', () => {
  /** States on a cluster whose nodes are of both; the image is published for amd64, or for what the test says. */
  function statesFor({
    architecture = 'amd64',
    reported = ['amd64', 'arm64'],
  }: {
    architecture?: string;
    reported?: string[];
  }) {
    const fleet = fleetInMemory();
    const module = moduleWith();
    fleet.modules.replace([module]);
    fleet.clusters.replace([clusterOn('c1', ['6.1.0']), clusterOn('c2', ['6.1.0'])]);
    const groups = (list: string[]) =>
      list.map((one) => ({ kernelVersion: '6.1.0', architecture: one, count: 1, nodes: [], features: {} }));
    fleet.inventories.replace([
      inventoryWith({ groups: groups(reported) }),
      inventoryWith({ groups: groups(['amd64', 'arm64']) }, 'c2'), // so that both are wanted
    ]);
    fleet.configMaps.replace([dockerfileWith('FROM scratch')]);
    const demand = new Demand(fleet);
    demand.touch('nic');
    const plans = demand.plansFor('nic', 'c2').flatMap(({ plan }) => (plan.kind === 'Recipe' ? plan : []));
    const made = plans.find(({ spec }) => spec.architecture === architecture);
    const { imageName = '', spec } = made ?? {};
    const recipeKey = spec?.recipeKey ?? '';
    const published = { phase: 'Published' as const, digest: DIGEST };
    fleet.images.replace([{ ...imageWith(imageName, recipeKey, published), ...(spec && { spec }) }]);
    return imageStates({ fleet, demand }, module, 'c1');
  }
  const told = (made: string, other: string) => ({
    reason: 'ArchitectureConflict',
    message:
      `r.example/nic:6.1.0 is made for the nodes on ${made}, and those on ${other} cannot load it. ` +
      'Give each architecture a module of its own, with another image name and kubernetes.io/arch in moduleSpec.selector.',
  });
  const published = { phase: 'Published', image: expect.anything() };

  test.each([
    ['amd64', 'arm64'],
    ['arm64', 'amd64'],
  ])('has the image that was made for %s, and tells that nodes on %s cannot use it', (architecture, other) => {
    const { images, excluded } = statesFor({ architecture });
    expect(Object.fromEntries(images)).toEqual({ '6.1.0': published });
    expect(Object.fromEntries(excluded)).toMatchObject({ '6.1.0': told(architecture, other) });
  });

  test('has none on a cluster of the other architecture alone', () => {
    const { images, excluded } = statesFor({ reported: ['arm64'] });
    expect(Object.fromEntries(images)).toEqual({ '6.1.0': { phase: 'Blocked', ...told('amd64', 'arm64') } });
    expect(excluded.size).toBe(0);
  });
});
