import type { ManagedClusterModule } from '@kmm-hub/api-types';
import type { RawKernelVersion } from '@kmm-hub/rules';
import { describe, expect, test } from 'vitest';
import { dockerfileWith, moduleWith } from '../test-objects.fixture.ts';
import { canonical, moduleImageName, planRecipe, type RecipeInput, type RecipePlan } from './recipe.ts';

const TEXT = ['ARG KERNEL_FULL_VERSION', 'ARG MOD_NAMESPACE', 'FROM scratch', 'COPY --from=x /a /a'].join('\n');
const kernel = '6.12.9+deb12-amd64' as RawKernelVersion;

function plan(overrides: Partial<RecipeInput> = {}, text = TEXT): RecipePlan {
  const configMap = (name: string) => (name === 'dockerfile' ? dockerfileWith(text) : undefined);
  return planRecipe({ module: moduleWith(), kernel, architecture: 'amd64', configMap, catalogue: [], ...overrides });
}
function recipe(overrides: Partial<RecipeInput> = {}, text = TEXT) {
  const planned = plan(overrides, text);
  if (planned.kind !== 'Recipe') throw new Error(`no recipe but ${JSON.stringify(planned)}`);
  return planned;
}
const withContainer = (container: Parameters<typeof moduleWith>[0]) => ({ module: moduleWith(container) });

test('a recipe is the whole way to the image, without any secret', () => {
  const sign = {
    keySecret: { name: 'key' },
    certSecret: { name: 'cert' },
    filesToSign: ['/opt/lib/modules/${KERNEL_FULL_VERSION}/nic.ko'],
  };
  const build = {
    dockerfileConfigMap: { name: 'dockerfile' },
    buildArgs: [{ name: 'UNUSED', value: '1' }],
    secrets: [{ name: 's' }],
  };
  const module = moduleWith({ container: { build, sign, registryTLS: { insecure: true } } });
  const spec = { ...module.spec.moduleSpec, imageRepoSecret: { name: 'pull' }, imageRebuildTriggerGeneration: 3 };
  const planned = recipe({ module: { ...module, spec: { ...module.spec, moduleSpec: spec } } as ManagedClusterModule });
  expect(planned.spec).toEqual({
    image: 'r.example/nic:6.12.9_deb12-amd64',
    kernelVersion: kernel,
    architecture: 'amd64',
    dirName: '/opt',
    rebuildPolicy: 'IfMissing',
    build: {
      dockerfileConfigMap: 'dockerfile',
      dockerfileSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      buildArgs: [
        { name: 'KERNEL_FULL_VERSION', value: kernel },
        { name: 'MOD_NAMESPACE', value: 'drivers' },
      ],
      secrets: [{ name: 's' }],
    },
    sign: { keySecret: 'key', certSecret: 'cert', filesToSign: [`/opt/lib/modules/${kernel}/nic.ko`] },
    imageRepoSecret: 'pull',
    registryTLS: { insecure: true },
    rebuildGeneration: 3,
    recipeKey: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(planned.imageName).toBe(moduleImageName('r.example/nic:6.12.9_deb12-amd64'));
});

test('image, build arguments and signed files know the module by one identity (W2)', () => {
  const container = {
    kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/${MOD_NAMESPACE}/${MOD_NAME}:1' }],
    sign: {
      keySecret: { name: 'k' },
      certSecret: { name: 'c' },
      filesToSign: ['/opt/${MOD_NAMESPACE}/${MOD_NAME}.ko'],
    },
  };
  const { spec } = recipe(withContainer({ container }), 'ARG MOD_NAME\nARG MOD_NAMESPACE\nFROM scratch');
  expect(spec.image).toBe('r.example/drivers/nic:1');
  expect(spec.build?.buildArgs).toEqual([
    { name: 'MOD_NAME', value: 'nic' },
    { name: 'MOD_NAMESPACE', value: 'drivers' },
  ]);
  expect(spec.sign?.filesToSign).toEqual(['/opt/drivers/nic.ko']);
});

describe('the recipe key', () => {
  const key = (overrides: Partial<RecipeInput> = {}, text = TEXT) => recipe(overrides, text).spec.recipeKey;
  const build = { dockerfileConfigMap: { name: 'dockerfile' } };
  const sign = { keySecret: { name: 'k' }, certSecret: { name: 'c' }, filesToSign: ['/opt/a.ko'] };
  const mapping = { regexp: '^.+$', containerImage: 'r.example/nic:1' };
  const trigger = moduleWith();
  Object.assign(trigger.spec.moduleSpec ?? {}, { imageRebuildTriggerGeneration: 1 });
  const pulling = moduleWith();
  Object.assign(pulling.spec.moduleSpec ?? {}, { imageRepoSecret: { name: 'pull' } });

  test.each<[string, string]>([
    ['the target', key(withContainer({ container: { kernelMappings: [mapping] } }))],
    ['the Dockerfile', key({}, `${TEXT}\nLABEL a=b`)],
    [
      'a build argument that the Dockerfile declares',
      key(
        withContainer({ container: { build: { ...build, buildArgs: [{ name: 'A', value: '1' }] } } }),
        `ARG A\n${TEXT}`,
      ),
    ],
    ['the kernel', key({ kernel: '6.12.10' as RawKernelVersion })],
    ['the architecture', key({ architecture: 'arm64' })],
    [
      'the names of build secrets',
      key(withContainer({ container: { build: { ...build, secrets: [{ name: 's' }] } } })),
    ],
    ['what is signed, and with what', key(withContainer({ container: { sign } }))],
    ['the pull secret', key({ module: pulling })],
    ['the rebuild generation', key({ module: trigger })],
    ['the rebuild policy', key(withContainer({ spec: { rebuildPolicy: 'OnInputChange' } }))],
    ['how the registry is reached', key(withContainer({ container: { registryTLS: { insecure: true } } }))],
  ])('changes with %s', (_input, changed) => {
    expect(changed).not.toBe(key());
  });

  test.each<[string, string]>([
    ['the selectors of clusters', key(withContainer({ spec: { selector: { a: 'b' }, clusterSelector: {} } }))],
    [
      'a build argument that the Dockerfile does not declare',
      key(withContainer({ container: { build: { ...build, buildArgs: [{ name: 'A', value: '1' }] } } })),
    ],
    [
      'parameters of modprobe',
      key(withContainer({ container: { modprobe: { moduleName: 'nic', dirName: '/opt', parameters: ['a=1'] } } })),
    ],
    ['what travels to the spoke', key(withContainer({ spec: { imageReference: 'Tag', removalGraceSeconds: 1 } }))],
    ['the age of the module', key(withContainer({ createdAt: '2020-01-01T00:00:00Z' }))],
    ['a catalogue that the Dockerfile does not use', key({ catalogue: [{ regexp: '.', image: 'r.example/dtk:1' }] })],
  ])('does not change with %s', (_input, same) => {
    expect(same).toBe(key());
  });

  test('is one for kernels that differ in a trailing + only, as they share mapping and target', () => {
    expect(key({ kernel: '6.1.0+' as RawKernelVersion })).toBe(key({ kernel: '6.1.0' as RawKernelVersion }));
  });

  test('is one for all kernels and architectures of an image that is only looked up', () => {
    const container = { build: undefined, kernelMappings: [mapping] } as never;
    const prebuilt = (overrides: Partial<RecipeInput>) => key({ ...withContainer({ container }), ...overrides });
    const one = prebuilt({ kernel: '6.1.0' as RawKernelVersion });
    expect(prebuilt({ kernel: '6.2.0' as RawKernelVersion })).toBe(one);
    expect(prebuilt({ kernel: '6.1.0' as RawKernelVersion, architecture: 'arm64' })).toBe(one);
  });
});

const mappingOf = (mapping: object) =>
  withContainer({ container: { kernelMappings: [mapping], build: undefined } as never });
const DTK = 'ARG DTK_AUTO\nFROM ${DTK_AUTO}';

test.each<[string, RecipePlan, { code: string; message: string; remedy: string }]>([
  [
    'a ConfigMap that is not there',
    plan({ configMap: () => undefined }),
    {
      code: 'DockerfileNotFound',
      message: 'the Dockerfile cannot be read: ConfigMap dockerfile does not exist',
      remedy: 'Create ConfigMap dockerfile with key "dockerfile" in the namespace of the hub.',
    },
  ],
  [
    'a ConfigMap without the key',
    plan({ configMap: () => ({ metadata: { name: 'dockerfile' }, data: { Dockerfile: '' } }) }),
    {
      code: 'DockerfileNotFound',
      message: 'the Dockerfile cannot be read: ConfigMap dockerfile has no key "dockerfile"',
      remedy: 'Create ConfigMap dockerfile with key "dockerfile" in the namespace of the hub.',
    },
  ],
  [
    'a build without a ConfigMap',
    plan(withContainer({ container: { build: {} } as never })),
    {
      code: 'NameMissing',
      message: 'build.dockerfileConfigMap.name is empty',
      remedy: 'Set build.dockerfileConfigMap.name in the kernel mapping.',
    },
  ],
  [
    'a toolkit that no entry of the catalogue has',
    plan({}, DTK),
    {
      code: 'ToolkitNotFound',
      message: `no toolkit image is known for kernel ${kernel}, which the Dockerfile asks for with DTK_AUTO`,
      remedy:
        'Add an entry to toolkitCatalogue in controller_config.yaml of the hub, or name a base image in the Dockerfile.',
    },
  ],
  [
    'a catalogue with a wrong expression',
    plan({ catalogue: [{ regexp: '(', image: 'r/dtk:1' }] }, DTK),
    {
      code: 'WrongToolkitCatalogue',
      message: expect.stringContaining('toolkit catalogue entry 0'),
      remedy: expect.any(String),
    },
  ],
  [
    'a mapping with a wrong expression',
    plan(mappingOf({ regexp: '(', containerImage: 'r/k:1' })),
    { code: 'WrongRegexp', message: expect.any(String), remedy: expect.any(String) },
  ],
])('%s blocks the kernel and says what to do', (_mistake, planned, want) => {
  expect(planned.kind).toBe('Blocked');
  const { error } = planned as Extract<RecipePlan, { kind: 'Blocked' }>;
  expect({ code: error.code, message: error.message, remedy: error.remedy }).toEqual(want);
});

test('a kernel without a mapping, and a module that loads nothing, want no image (W13)', () => {
  expect(plan(mappingOf({ literal: '5.4.0', containerImage: 'r/k:1' }))).toEqual({ kind: 'Unmapped' });
  expect(plan(withContainer({ spec: { moduleSpec: { selector: {}, devicePlugin: {} } } as never }))).toEqual({
    kind: 'Unmapped',
  });
});

test('DTK_AUTO is the toolkit image of the catalogue', () => {
  const catalogue = [{ regexp: '^6\\.', image: 'r.example/dtk:${KERNEL_FULL_VERSION}' }];
  expect(recipe({ catalogue }, DTK).spec.build?.buildArgs).toEqual([
    { name: 'DTK_AUTO', value: 'r.example/dtk:6.12.9_deb12-amd64' },
  ]);
});

test('planning changes nothing that it was given', () => {
  const module = moduleWith();
  const before = structuredClone(module);
  recipe({ module });
  expect(module).toEqual(before);
});

test('canonical text does not depend on the order of keys, but on that of lists', () => {
  expect(canonical({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
  expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
});
