import type { Condition } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { conditionOf, setConditions } from './conditions.ts';

const now = new Date('2026-02-03T04:05:06.789Z');
const then = '2020-01-01T00:00:00Z';
const ready = { type: 'Ready', status: 'True', reason: 'Loaded', message: 'on 3 nodes' } as const;
const degraded: Condition = { ...ready, type: 'Degraded', status: 'False', lastTransitionTime: then };

test.each<[string, Condition[] | undefined, Condition[]]>([
  ['starts a new list', undefined, [{ ...ready, lastTransitionTime: '2026-02-03T04:05:06Z' }]],
  [
    'keeps the time while the status stays, whatever the words',
    [{ ...ready, message: 'on 2 nodes', lastTransitionTime: then }],
    [{ ...ready, lastTransitionTime: then }],
  ],
  [
    'moves the time with the status',
    [{ ...ready, status: 'False', lastTransitionTime: then }],
    [{ ...ready, lastTransitionTime: '2026-02-03T04:05:06Z' }],
  ],
  [
    'keeps the conditions of others and their order',
    [degraded, { ...ready, lastTransitionTime: then }],
    [degraded, { ...ready, lastTransitionTime: then }],
  ],
])('setConditions %s', (_behaviour, given, want) => {
  expect(setConditions(given, [ready], now)).toEqual(want);
});

test('setConditions cuts a message to what the API server takes', () => {
  const [condition] = setConditions([], [{ ...ready, message: 'x'.repeat(40_000) }], now);
  expect(condition?.message).toHaveLength(32_768);
});

test('conditionOf finds by type', () => {
  expect(conditionOf([degraded], 'Degraded')).toBe(degraded);
  expect(conditionOf(undefined, 'Ready')).toBeUndefined();
});
