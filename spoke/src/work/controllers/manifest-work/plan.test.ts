import type { ManifestWork } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { applyIsDue, nextLookMs, nextSchedule, type PassOutcome } from './plan.ts';

const condition = (type: string, observedGeneration: number) => ({
  ...{ type, status: 'True' as const, reason: 'x', message: '', lastTransitionTime: '' },
  observedGeneration,
});
const work = ({ generation = 1, labels = {}, observed = 1, complete = false, told = 1 } = {}): ManifestWork => ({
  metadata: { name: 'w', namespace: 'c1', uid: 'u', generation, labels },
  spec: { workload: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm1' } }] } },
  status: {
    conditions: [condition('Applied', observed), ...(complete ? [condition('Complete', observed)] : [])],
    resourceStatus: { manifests: Array.from({ length: told }, (_, ordinal) => ({ resourceMeta: { ordinal } })) },
  },
});
const outcome = (given: Partial<PassOutcome> = {}) =>
  ({ applied: true, retry: 'none', changed: false, ...given }) as const;
const minutes = 60_000;

describe('after a pass that went well', () => {
  const schedule = nextSchedule(undefined, { work: work(), outcome: outcome(), nowMs: 0 });

  test('the manifests are applied again after 4 to 6 minutes', () => {
    expect(schedule.applyAt).toBeGreaterThanOrEqual(4 * minutes);
    expect(schedule.applyAt).toBeLessThanOrEqual(6 * minutes);
    expect(applyIsDue(schedule, work(), 4 * minutes - 1)).toBe(false);
    expect(applyIsDue(schedule, work(), 6 * minutes)).toBe(true);
  });

  test.each([
    ['another spec', work({ generation: 2 })],
    ['another label', work({ labels: { touched: '1' } })],
    ['a status that was lost', work({ observed: 0 })],
    ['a status whose manifests were lost', work({ told: 0 })],
  ])('%s is applied at once', (_what, changed) => {
    expect(applyIsDue(schedule, changed, 1)).toBe(true);
  });
});

test('a work that is not known yet is applied', () => {
  expect(applyIsDue(undefined, work(), 0)).toBe(true);
});

test('a work that is Complete is never applied again, also with another spec, and looked at as before', () => {
  const complete = work({ generation: 2, complete: true });
  expect(applyIsDue(undefined, complete, 0)).toBe(false);
  const looked = { work: complete, outcome: outcome({ applied: false }), nowMs: 0 };
  const schedule = nextSchedule(undefined, looked);
  expect(applyIsDue(schedule, complete, 10 * minutes)).toBe(false);
  const later = nextSchedule(schedule, { ...looked, nowMs: 10 * minutes });
  expect(nextLookMs(later, { intervalMs: 10_000, nowMs: 10 * minutes })).toBeGreaterThan(0);
});

test('an executor that is not allowed something is asked about again after a minute', () => {
  const denied = { work: work(), outcome: outcome({ retry: 'inAMinute' }), nowMs: 0 };
  const schedule = nextSchedule(undefined, denied);
  expect(nextSchedule(schedule, { ...denied, nowMs: minutes })).toMatchObject({ failures: 0, applyAt: 2 * minutes });
});

describe('after a pass that asks for another try', () => {
  const again = { work: work(), outcome: outcome({ retry: 'soon' }), nowMs: 0 };

  test('tries come ever later, at most a minute apart', () => {
    const first = nextSchedule(undefined, again);
    expect(first.applyAt).toBeLessThanOrEqual(250);
    let schedule = first;
    for (let tries = 0; tries < 20; tries += 1) schedule = nextSchedule(schedule, again);
    expect(schedule.applyAt).toBeGreaterThanOrEqual(0.5 * minutes);
    expect(schedule.applyAt).toBeLessThanOrEqual(minutes);
  });

  test('a new spec starts without the failures of the old one', () => {
    const failed = { ...nextSchedule(undefined, again), failures: 12 };
    expect(nextSchedule(failed, { ...again, work: work({ generation: 2 }) })).toMatchObject({ failures: 1 });
  });

  test('a look in between does not put the try off', () => {
    const failed = nextSchedule(undefined, again);
    const looked = nextSchedule(failed, { work: work(), outcome: outcome({ applied: false }), nowMs: 100 });
    expect(looked.applyAt).toBe(failed.applyAt);
  });
});

describe('looks', () => {
  const intervalMs = 10_000;
  const quiet = (passes: number) => ({ applied: '', failures: 0, quietPasses: passes, applyAt: 5 * minutes });

  test('come soon after a change and then ever later, up to the interval', () => {
    const delays = [0, 1, 2, 5, 6, 50].map((passes) => nextLookMs(quiet(passes), { intervalMs, nowMs: 0 }));
    expect(delays).toEqual([200, 400, 800, 6400, 10_000, 10_000]);
  });

  test('never come later than the next application', () => {
    expect(nextLookMs(quiet(50), { intervalMs, nowMs: 5 * minutes - 7 })).toBe(7);
  });

  test('start anew when something changed', () => {
    const previous = { ...nextSchedule(undefined, { work: work(), outcome: outcome(), nowMs: 0 }), quietPasses: 9 };
    const looked = (changed: boolean) =>
      nextSchedule(previous, { work: work(), outcome: outcome({ applied: false, changed }), nowMs: 1 }).quietPasses;
    expect([looked(true), looked(false)]).toEqual([0, 10]);
  });
});
