import { expect, test } from 'vitest';
import { moduleImageName } from '../../fleet/recipe.ts';
import { imageWith, moduleWith } from '../../test-objects.fixture.ts';
import { imageOfModule, namedImage } from './find-image.ts';

const reference = 'r.example:5000/nic:6.1.0-53-amd64';

test.each([
  ['the name of a ModuleImage', 'a'.repeat(40), 'a'.repeat(40)],
  ['the reference that it is published under', reference, moduleImageName(reference)],
  ['a reference by digest', `r/nic@sha256:${'a'.repeat(64)}`, moduleImageName(`r/nic@sha256:${'a'.repeat(64)}`)],
  ['nothing, for the name of a module', 'hello-kmod', undefined],
])('a word names %s', (_what, word, name) => {
  expect(namedImage(word)).toBe(name);
});

const image = (kernelVersion: string) => {
  const base = imageWith(`name-of-${kernelVersion}`, 'k', { phase: 'Failed' });
  return { ...base, spec: { ...base.spec, kernelVersion, image: `r.example/nic:${kernelVersion}` } };
};

test('a module with one image names it, whatever images others have', () => {
  const other = { ...image('6.6.0'), spec: { ...image('6.6.0').spec, image: 'r.example/other:6.6.0' } };
  expect(imageOfModule(moduleWith(), [other, image('6.1.0')])).toBe('name-of-6.1.0');
});

test('a module with several images tells which', () => {
  expect(() => imageOfModule(moduleWith(), [image('6.1.0'), image('6.6.0')])).toThrow(
    expect.objectContaining({
      message: 'ManagedClusterModule "nic" has 2 images',
      remedy:
        'Name one of them:\n  name-of-6.1.0  Failed     r.example/nic:6.1.0\n  name-of-6.6.0  Failed     r.example/nic:6.6.0',
    }),
  );
});

test('a module without an image says where to look', () => {
  expect(() => imageOfModule(moduleWith(), [])).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('kubectl kmm why nic') }),
  );
});
