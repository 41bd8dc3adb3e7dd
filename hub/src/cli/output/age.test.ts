import { expect, test } from 'vitest';
import { ageOf } from './age.ts';

const now = new Date('2026-06-15T12:00:00Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const [minute, hour, day] = [60, 3_600, 86_400];

test.each([
  [0, '0s'],
  [119, '119s'],
  [2 * minute, '2m'],
  [5 * minute + 30, '5m30s'],
  [10 * minute + 30, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 5 * minute, '3h5m'],
  [8 * hour + 5 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [3 * day + 4 * hour, '3d4h'],
  [8 * day + 4 * hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [800 * day, '2y70d'],
  [4_000 * day, '10y'],
])('%d seconds are told as %s, as kubectl does', (seconds, told) => {
  expect(ageOf(before(seconds), now)).toBe(told);
});

test.each([
  ['no time', undefined, '-'],
  ['what is no time', 'yesterday', '-'],
  ['a time that a fast clock wrote', before(-5), '0s'],
])('%s is told as well', (_what, time, told) => {
  expect(ageOf(time, now)).toBe(told);
});
