import { expect, test } from 'vitest';
import { RegistryHealth } from './registry-health.ts';

test('a worker that asked no registry yet has nothing to tell', () => {
  expect(new RegistryHealth().problems()).toEqual([]);
});

test('a worker that reaches none of its registries is cut off, and tells each', () => {
  const health = new RegistryHealth();
  health.note('a:5000', 'registry a:5000 does not answer');
  health.note('b:5000', 'registry b:5000 does not answer');
  expect(health.problems()).toEqual(['registry a:5000 does not answer', 'registry b:5000 does not answer']);
});

test('one registry that answers shows that the worker is not cut off', () => {
  const health = new RegistryHealth();
  health.note('a:5000', 'registry a:5000 does not answer');
  health.note('b:5000', undefined);
  expect(health.problems()).toEqual([]);
});

test('a registry that answers again has no problem any more', () => {
  const health = new RegistryHealth();
  health.note('a:5000', 'registry a:5000 does not answer');
  health.note('a:5000', undefined);
  expect(health.problems()).toEqual([]);
});

test('a registry that no job named for 15 minutes is forgotten', () => {
  let nowMs = 0;
  const health = new RegistryHealth(() => nowMs);
  health.note('a:5000', 'registry a:5000 does not answer');
  nowMs = 15 * 60_000;
  expect(health.problems()).toHaveLength(1);
  nowMs += 1;
  expect(health.problems()).toEqual([]);
});
