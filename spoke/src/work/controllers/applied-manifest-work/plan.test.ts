import { expect, test } from 'vitest';
import { nextCleanUpMs, planAppliedWork } from './plan.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const applied = (evictionStartTime?: string, metadata: object = {}) => ({
  metadata: { name: 'hash-w', ...metadata },
  ...(evictionStartTime && { status: { evictionStartTime } }),
});
const evicting = applied('2026-01-01T00:00:00Z');
const deleted = applied(undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' });

test.each([
  ['leaves alone what its work still names', {}, { action: 'none' }],
  ['cleans up once it is deleted', { object: deleted }, { action: 'cleanUp' }],
  ['does not judge before the hub has answered', { managed: undefined }, { action: 'wait', forMs: 500 }],
  ['starts the time of grace when the work vanished', { managed: false }, { action: 'startEviction' }],
  ['stops it when the work is back', { object: evicting }, { action: 'stopEviction' }],
  ['waits until it is over', { object: evicting, managed: false }, { action: 'wait', forMs: 50_000 }],
  ['then evicts', { object: evicting, managed: false, nowMs: start + 60_000 }, { action: 'evict' }],
])('an applied work %s', (_fact, change, want) => {
  const { object, ...hub } = { object: applied(), managed: true, graceMs: 60_000, nowMs: start + 10_000, ...change };
  expect(planAppliedWork(object, hub)).toEqual(want);
});

test('a stuck object is asked for ever more rarely, at least every 5 s', () => {
  const deleting = applied(undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  const delays = [-500, 0, 1000, 8000, 3_600_000].map((ageMs) => nextCleanUpMs(deleting, start + ageMs));
  expect(delays).toEqual([100, 100, 500, 4000, 5000]);
});
