import type { ModuleImage, ModuleImageStatus } from '@kmm-hub/api-types';
import type { ImageResult } from '@kmm-hub/queue/client';
import { expect, test } from 'vitest';
import { imageWith } from '../../test-objects.fixture.ts';
import { type ImageInput, type ImagePlan, planImage } from './plan.ts';

const now = new Date('2026-01-01T12:00:00.000Z');
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString();
const DIGEST = `sha256:${'a'.repeat(64)}`;
const image = (status?: Omit<ModuleImageStatus, 'recipeKey'>): ModuleImage => imageWith('i', 'k1', status);
const wanted = image().spec;
const following = (one: ModuleImage): ModuleImage => ({
  ...one,
  spec: { ...one.spec, rebuildPolicy: 'OnInputChange' },
});
const ofOldRecipe = (status: ModuleImageStatus): ModuleImage => ({
  ...image(),
  status: { ...status, recipeKey: 'k0' },
});
const published: ImageResult = {
  outcome: 'Published',
  recipeKey: 'k1',
  digest: DIGEST,
  origin: 'Made',
  built: true,
  contentKey: 'c',
};
const failed = (retry: 'backoff' | 'never'): ImageResult => ({
  outcome: 'Failed',
  recipeKey: 'k1',
  reason: 'BuildFailed',
  message: 'm',
  retry,
});
const failedStatus = (failures: number, nextAttempt: string) => ({
  phase: 'Failed' as const,
  observedGeneration: 2,
  builds: 0,
  failures,
  nextAttempt,
  recipeKey: 'k1',
});
const tellsFailure = (failures: number, nextAttempt: string): ImagePlan => ({
  action: 'status',
  status: failedStatus(failures, nextAttempt),
  reason: 'BuildFailed',
  message: 'm',
});

test.each<[string, Omit<ImageInput, 'now'>, ImagePlan]>([
  ['what nobody wants and is not there is nothing', {}, { action: 'none' }],
  ['what nobody wants any more goes', { image: image() }, { action: 'delete' }],
  ['what is wanted and not there is made', { wanted }, { action: 'create', spec: wanted }],
  [
    'another recipe is written',
    { image: image(), wanted: { ...wanted, recipeKey: 'k2' } },
    { action: 'update', spec: { ...wanted, recipeKey: 'k2' } },
  ],
  ['a new image needs a job', { image: image(), wanted }, { action: 'job' }],
  ['a published image is left alone', { image: image({ phase: 'Published' }), wanted }, { action: 'none' }],
  [
    'an image that was published by another recipe needs a job',
    { image: ofOldRecipe({ phase: 'Published' }), wanted },
    { action: 'job' },
  ],
  [
    'a job that runs is made sure of',
    { image: image({ phase: 'Building' }), wanted, step: 'Building' },
    { action: 'job' },
  ],
  [
    'a step is told',
    { image: image(), wanted, step: 'Building' },
    {
      action: 'status',
      status: { phase: 'Building', recipeKey: 'k1' },
      reason: 'Building',
      message: 'a worker builds it',
    },
  ],
  [
    'a result is told, and builds are counted',
    { image: image({ phase: 'Signing', builds: 2 }), wanted, result: published },
    {
      action: 'status',
      status: {
        phase: 'Published',
        recipeKey: 'k1',
        observedGeneration: 2,
        digest: DIGEST,
        reused: false,
        builds: 3,
        contentKey: 'c',
      },
      reason: 'Published',
      message: `r.example/nic:6.1.0 is ${DIGEST}`,
    },
  ],
  [
    'an image that was in the registry is told as such',
    {
      image: image(),
      wanted,
      result: { outcome: 'Published', recipeKey: 'k1', digest: DIGEST, origin: 'Taken', built: false },
    },
    {
      action: 'status',
      status: { phase: 'Published', recipeKey: 'k1', observedGeneration: 2, digest: DIGEST, reused: true, builds: 0 },
      reason: 'Published',
      message: `r.example/nic:6.1.0 is ${DIGEST}; it was in the registry`,
    },
  ],
  [
    "a job's answer that was lost is told by the next one, and its build is counted once",
    { image: image({ phase: 'Building' }), wanted, result: { ...published, origin: 'Recovered' } },
    {
      action: 'status',
      status: {
        ...{ phase: 'Published', recipeKey: 'k1', observedGeneration: 2, digest: DIGEST, reused: false },
        ...{ builds: 1, contentKey: 'c' },
      },
      reason: 'Published',
      message: `r.example/nic:6.1.0 is ${DIGEST}`,
    },
  ],
  [
    'a second look at what is published changes nothing of what is told',
    {
      image: image({ phase: 'Published', digest: DIGEST, builds: 1 }),
      wanted,
      result: { ...published, origin: 'Taken' },
    },
    { action: 'none' },
  ],
  [
    'a result of an older recipe is dropped',
    { image: image(), wanted, result: { ...published, recipeKey: 'k0' } },
    { action: 'job' },
  ],
  [
    'a worker that failed without reading a recipe counts',
    { image: image(), wanted, result: { outcome: 'Failed', reason: 'BuildFailed', message: 'm', retry: 'backoff' } },
    tellsFailure(1, at(5)),
  ],
  [
    'the first failure is tried again after 5 s',
    { image: image(), wanted, result: failed('backoff') },
    tellsFailure(1, at(5)),
  ],
  [
    'every further failure waits twice as long',
    { image: image({ phase: 'Failed', failures: 3 }), wanted, result: failed('backoff') },
    tellsFailure(4, at(40)),
  ],
  [
    'no failure waits longer than 10 min',
    { image: image({ phase: 'Failed', failures: 30 }), wanted, result: failed('backoff') },
    tellsFailure(31, at(600)),
  ],
  [
    'what another try does not change waits 10 min at once, and is still tried again (W26)',
    { image: image(), wanted, result: failed('never') },
    tellsFailure(1, at(600)),
  ],
  [
    'failures of an older recipe do not count',
    { image: ofOldRecipe({ phase: 'Failed', failures: 9 }), wanted, result: failed('backoff') },
    tellsFailure(1, at(5)),
  ],
  [
    'a missing image is looked for again (W27)',
    { image: image(), wanted, result: { outcome: 'Missing', recipeKey: 'k1', reason: 'ImageNotFound', message: 'm' } },
    {
      action: 'status',
      status: { ...failedStatus(1, at(5)), phase: 'Missing' },
      reason: 'ImageNotFound',
      message: 'm',
    },
  ],
  [
    'a failed image waits for its next attempt',
    { image: image({ phase: 'Failed', nextAttempt: at(7) }), wanted },
    { action: 'wait', forMs: 7000 },
  ],
  [
    'a failed image whose time has come needs a job',
    { image: image({ phase: 'Failed', nextAttempt: at(0) }), wanted },
    { action: 'job' },
  ],
  [
    'a failed image keeps its reason while it is tried again',
    { image: image({ phase: 'Failed', nextAttempt: at(-1) }), wanted, step: 'Building' },
    { action: 'job' },
  ],
  [
    'a failed image with a new recipe needs a job at once',
    { image: ofOldRecipe({ phase: 'Failed', nextAttempt: at(600) }), wanted },
    { action: 'job' },
  ],
  [
    'a failed image whose Secret changed needs a job at once',
    { image: image({ phase: 'Failed', nextAttempt: at(600) }), wanted, hinted: true },
    { action: 'job' },
  ],
  [
    'a failure whose Secret changed while it was worked on is tried again at once',
    { image: image(), wanted, result: failed('never'), hinted: true },
    tellsFailure(1, at(0)),
  ],
  [
    'a published image follows its Secrets when it is to',
    { image: following(image({ phase: 'Published' })), wanted: following(image()).spec, hinted: true },
    { action: 'job' },
  ],
  [
    'a published image does not follow its Secrets when it is not to',
    { image: image({ phase: 'Published' }), wanted, hinted: true },
    { action: 'none' },
  ],
  [
    'a worker that saw other inputs is asked again in a moment, not at once',
    { image: image(), wanted, result: { outcome: 'Stale' } },
    { action: 'wait', forMs: 1000 },
  ],
  [
    'a published image has nothing to ask again',
    { image: image({ phase: 'Published' }), wanted, result: { outcome: 'Stale' } },
    { action: 'none' },
  ],
])('%s', (_rule, given, want) => {
  expect(planImage({ now, ...given })).toEqual(want);
});
