import type { ModuleImage } from '@kmm-hub/api-types';
import type { ImageResult } from '@kmm-hub/queue/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageWith } from '../../test-objects.fixture.ts';
import { type ImageInput, planImage } from './plan.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const DIGEST = `sha256:${'a'.repeat(64)}`;
const key = fc.constantFrom('k1', 'k2'); // few, so that wanted and current overlap
const result: fc.Arbitrary<ImageResult> = fc.oneof(
  fc.record({
    outcome: fc.constant('Published' as const),
    recipeKey: key,
    digest: fc.constant(DIGEST),
    origin: fc.constantFrom('Made' as const, 'Recovered' as const, 'Taken' as const),
    built: fc.boolean(),
  }),
  fc.record({
    outcome: fc.constant('Failed' as const),
    recipeKey: key,
    reason: fc.constant('R'),
    message: fc.constant('m'),
    retry: fc.constantFrom('backoff' as const, 'never' as const),
  }),
  fc.constant<ImageResult>({ outcome: 'Stale' }),
);
const event = fc.record({
  wanted: fc.option(key),
  result: fc.option(result),
  step: fc.constantFrom(undefined, 'Pending' as const, 'Building' as const, 'Signing' as const),
  waitedMs: fc.integer({ min: 0, max: 700_000 }),
});

/** Carries a plan out in memory, as the controller does against the API server. */
function carryOut(image: ModuleImage | undefined, input: Omit<ImageInput, 'image'>): ModuleImage | undefined {
  const plan = planImage({ ...input, ...(image && { image }) });
  if (plan.action === 'create') return imageWith('i', plan.spec.recipeKey);
  if (plan.action === 'delete') return undefined;
  if (plan.action === 'update' && image) return { ...image, spec: plan.spec };
  return plan.action === 'status' && image ? { ...image, status: plan.status } : image;
}

type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;
const wantedBy = (recipeKey: string) => ({ wanted: imageWith('i', recipeKey).spec });

function inputOf({ wanted, result: ended, step }: Event, now: number): ImageInput {
  const want = wanted === null ? {} : wantedBy(wanted);
  return { ...want, ...(ended && { result: ended }), ...(step && { step }), now: new Date(now) };
}

test('after whatever happened, an image that is wanted and built ends as published by its own recipe, and stays', () => {
  const property = fc.property(fc.array(event), key, (events, lastKey) => {
    let image: ModuleImage | undefined;
    let now = START;
    for (const one of events) {
      now += one.waitedMs;
      image = carryOut(image, inputOf(one, now));
      expect(image === undefined).toBe(one.wanted === null); // only then it goes
    }
    const quiet = { ...wantedBy(lastKey), now: new Date(now + 600_000) };
    image = carryOut(carryOut(image, quiet), quiet); // made, and made for this recipe
    const settled = image?.status?.phase === 'Published' && image.status.recipeKey === lastKey;
    expect(planImage({ ...quiet, ...(image && { image }) })).toEqual({ action: settled ? 'none' : 'job' });
    const done = {
      outcome: 'Published' as const,
      recipeKey: lastKey,
      digest: DIGEST,
      origin: 'Made' as const,
      built: true,
    };
    image = carryOut(image, { ...quiet, result: done });
    expect(image?.status).toMatchObject({ phase: 'Published', recipeKey: lastKey, digest: DIGEST });
    expect(planImage({ ...quiet, ...(image && { image }) })).toEqual({ action: 'none' });
  });
  fc.assert(property);
});
