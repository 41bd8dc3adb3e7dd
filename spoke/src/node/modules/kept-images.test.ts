import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { removeFromImages, removeUnwantedImages } from './kept-images.ts';

const NOTHING = { spec: [], status: [], intents: [] };
const IMAGE = `sha256-${'a'.repeat(64)}`;

test('a disk without any image stays as it is', async () => {
  await using root = await hostTree({});
  expect(await removeUnwantedImages(join(root.path, 'images'), NOTHING)).toEqual([]);
});

test('nothing stays of what nothing names: images, manifests, and what a process that was killed left', async () => {
  await using root = await hostTree({
    'images/manifests/x.json': '{}',
    'images/manifests/y.json.partial': '{"di',
    [`images/${IMAGE}/0123456789ab/files/opt/hello.ko`]: 'K',
    [`images/${IMAGE}/0123456789ab/tree/lib/modules`]: '-> ../files/opt',
    'images/removed/0/files/hello.ko': 'half of it',
    'images/stray': 'file',
  });
  const removed = await removeUnwantedImages(join(root.path, 'images'), NOTHING);
  expect(removed).toEqual(['manifests/x.json', 'manifests/y.json.partial', IMAGE, 'stray']);
  expect(await readdir(join(root.path, 'images'), { recursive: true })).toEqual(['manifests']);
  expect(await removeUnwantedImages(join(root.path, 'images'), NOTHING)).toEqual([]);
});

test('an image that was brought again after a removal that was killed is removed again', async () => {
  await using root = await hostTree({ 'removed/0/files/hello.ko': 'half', [`${IMAGE}/0123/files/hello.ko`]: 'K' });
  await removeFromImages(root.path, [`${IMAGE}/0123`]);
  expect(await readdir(root.path, { recursive: true })).toEqual([IMAGE]);
});
