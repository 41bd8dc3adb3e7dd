import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ImageState, type KernelImage, planWork, type WorkInput } from './plan.ts';

const kernel = fc.constantFrom('6.1.0-53-amd64', '6.12.9+deb12-amd64', '5.4.0-generic');
const image = fc
  .constantFrom('aa', 'bb')
  .map((digest): KernelImage => ({ reference: `r@sha256:${digest}`, tag: 'r:1' })); // few, so that wanted and current overlap
const state: fc.Arbitrary<ImageState> = fc.oneof(
  fc.record({ phase: fc.constant('Published' as const), image }),
  fc.constantFrom<ImageState>(
    { phase: 'Pending', progress: 'it waits for a worker' },
    { phase: 'Blocked', reason: 'BuildFailed', message: 'm' },
    { phase: 'Unmapped' },
  ),
);
const mapOf = <T>(value: fc.Arbitrary<T>) => fc.array(fc.tuple(kernel, value)).map((entries) => new Map(entries));
const input: fc.Arbitrary<WorkInput> = fc
  .record({
    selected: fc.boolean(),
    problem: fc.option(fc.constant({ reason: 'ClusterTooOld', message: 'm' })),
    loadsModule: fc.boolean(),
    images: mapOf(state),
    current: fc.option(mapOf(image)),
  })
  .map(({ current, problem, ...rest }) => ({
    ...rest,
    ...(problem !== null && { problem }),
    ...(current !== null && { current }),
  }));

/** What the kernel may have in the work, said without a plan: the image that is ready, else what was there. */
function rightLiteral({ images, current }: WorkInput, name: string): KernelImage | undefined {
  const known = images.get(name);
  if (known === undefined || known.phase === 'Unmapped') return undefined;
  return known.phase === 'Published' ? known.image : current?.get(name);
}

test('one write settles a cluster: only deselection deletes, and every literal is right or was there', () => {
  const property = fc.property(input, (given) => {
    const plan = planWork(given);
    expect(plan.action === 'delete').toBe(!given.selected);
    if (plan.action !== 'apply') return;
    expect(given.problem).toBeUndefined(); // nothing new where it cannot run
    expect(planWork({ ...given, current: plan.literals })).toEqual(plan);
    const names = given.loadsModule ? [...given.images.keys()] : [];
    const right = names.flatMap((name) => {
      const image = rightLiteral(given, name);
      return image === undefined ? [] : [[name, image] as const];
    });
    expect(plan.literals).toEqual(new Map(right));
    expect(plan.literals.size > 0).toBe(given.loadsModule);
  });
  fc.assert(property);
});
