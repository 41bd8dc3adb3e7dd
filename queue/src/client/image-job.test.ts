import { expect, test } from 'vitest';
import { type ImageResult, readResult, readStep } from './image-job.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each<[ImageResult]>([
  [{ outcome: 'Published', recipeKey: 'k', digest, reused: false, built: true, contentKey: 'c', signedFiles: [] }],
  [{ outcome: 'Missing', recipeKey: 'k', reason: 'ImageNotFound', message: 'm' }],
  [{ outcome: 'Failed', recipeKey: 'k', reason: 'BuildFailed', message: 'm', retry: 'never' }],
  [{ outcome: 'Failed', reason: 'Unreachable', message: 'm', retry: 'backoff' }],
  [{ outcome: 'Stale' }],
])('$outcome is a result', (result) => {
  expect(readResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
});

test.each([
  ['nothing', null],
  ['a text', 'Published'],
  ['another word', { outcome: 'Celebrated' }],
  ['a word of every object', { outcome: 'constructor' }],
  ['a digest that is none', { outcome: 'Published', recipeKey: 'k', digest: 'latest' }],
  ['a result of no recipe', { outcome: 'Published', digest }],
  ['a failure without a reason', { outcome: 'Failed', message: 'm' }],
])('%s is no result', (_what, value) => {
  expect(readResult(value)).toBeUndefined();
});

test.each([
  [{ step: 'Building' }, 'Building'],
  [{ step: 'Dancing' }, undefined],
  [{}, undefined],
  [null, undefined],
  [42, undefined],
])('progress %j is step %s', (progress, step) => {
  expect(readStep(progress)).toBe(step);
});
