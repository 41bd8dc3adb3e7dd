import { UsageError } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { conformanceCases } from './cases/index.ts';
import { limitsFor, parseOptions } from './options.ts';

test('our own agent is judged by how it is started', () => {
  expect(parseOptions(['--patience', '1'])).toEqual({
    ...{ slow: false, json: false },
    limits: { promptMs: 15_000, statusMs: 6000, quietMs: 6000, evictionGraceMs: 10_000, startMs: 180_000 },
  });
});

test('of another agent no time of grace is known unless it is given', () => {
  const { limits } = parseOptions(['--agent', 'run {hub}', '--patience', '1', '--status-sync-interval', '10']);
  expect(limits).toEqual({ promptMs: 15_000, statusMs: 25_000, quietMs: 25_000, startMs: 180_000 });
  expect(parseOptions(['--agent', 'run', '--eviction-grace', '30']).limits.evictionGraceMs).toBe(30_000);
});

test('patience stretches what is waited for, not how long nothing may happen', () => {
  const { promptMs, statusMs, quietMs } = limitsFor({ interval: 1, patience: 3, startLimit: 1 });
  expect({ promptMs, statusMs, quietMs }).toEqual({ promptMs: 45_000, statusMs: 21_000, quietMs: 7000 });
});

test.each([
  ['--cases', '1,99'],
  ['--patience', '0'],
  ['--status-sync-interval', 'soon'],
])('%s %s is refused', (...args) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
});

test('every case has a number and a title of its own', () => {
  const numbers = conformanceCases.map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(new Set(conformanceCases.map(({ title }) => title)).size).toBe(numbers.length);
  expect(numbers.filter((number) => !number.endsWith('-slow'))).toEqual(
    Array.from({ length: 34 }, (_, i) => `${i + 1}`),
  );
});
