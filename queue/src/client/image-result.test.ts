import { expect, test } from 'vitest';
import { brokenWorker, type ImageResult, readResult, resultLimits } from './image-result.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const file = { path: '/opt/lib/modules/6.1.0/nic.ko', sha256: 'b'.repeat(64) };
const published = { outcome: 'Published', recipeKey: 'k', digest, origin: 'Made', built: true } as const;
const failed = { outcome: 'Failed', reason: 'BuildFailed', message: 'm', retry: 'never' } as const;

test.each<[string, ImageResult]>([
  ['an image that was made', { ...published, contentKey: 'c', signedFiles: [file] }],
  ['an image that was taken as it was', { ...published, origin: 'Taken', built: false }],
  ['an image that is missing', { outcome: 'Missing', recipeKey: 'k', reason: 'ImageNotFound', message: 'm' }],
  ['a failure', { ...failed, recipeKey: 'k' }],
  ['a failure before the recipe was read', failed],
  ['a recipe that is no longer the one', { outcome: 'Stale' }],
])('%s is a result', (_what, result) => {
  expect(readResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
});

test.each<[string, unknown]>([
  ['nothing', null],
  ['a text', 'Published'],
  ['another word', { outcome: 'Celebrated' }],
  ['a word of every object', { outcome: 'constructor' }],
  ['a digest that is none', { ...published, digest: 'latest' }],
  ['a result of no recipe', { ...published, recipeKey: undefined }],
  ['an origin that is none', { ...published, origin: 'Stolen' }],
  ['a content key that no status holds', { ...published, contentKey: 'c'.repeat(65) }],
  ['a list that is none', { ...published, signedFiles: { length: 1 } }],
  ['a list beyond its limit', { ...published, signedFiles: Array(resultLimits.signedFiles + 1).fill(file) }],
  ['a path beyond its limit', { ...published, signedFiles: [{ ...file, path: 'x'.repeat(1025) }] }],
  ['a failure without a reason', { ...failed, reason: undefined }],
  ['a reason that no condition takes', { ...failed, reason: 'it broke' }],
  ['a reason that is a number', { ...failed, reason: 7 }],
  ['a message beyond its limit', { ...failed, message: 'x'.repeat(resultLimits.messageCharacters + 1) }],
  ['a message that is an object', { ...failed, message: { toString: 'x' } }],
  ['a retry that is none', { ...failed, retry: 'at once' }],
])('%s is a failure that says so, what to do, and comes again', (_what, value) => {
  expect(readResult(value)).toEqual({
    outcome: 'Failed',
    reason: 'MalformedResult',
    message: expect.stringMatching(
      /^what Redis holds as the answer of a worker is none \(at \S+\)\. See that only the hub/,
    ),
    retry: 'backoff',
  });
});

test('what BullMQ tells of a broken worker is cut to what a condition holds', () => {
  const result = brokenWorker('x'.repeat(100_000));
  expect(result).toMatchObject({ outcome: 'Failed', reason: 'WorkerFailed', retry: 'backoff' });
  expect(readResult(result)).toEqual(result);
});
