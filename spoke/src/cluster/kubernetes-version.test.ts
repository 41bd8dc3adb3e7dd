import { expect, test, vi } from 'vitest';
import { askedKubernetesVersion, versionFor } from './kubernetes-version.ts';
import { DRA, moduleFixture } from './objects.fixture.ts';

const { signal } = new AbortController();
const draModule = moduleFixture('gpu', { spec: { dra: DRA } });

test('the API server is asked once a minute', async () => {
  const raw = vi.fn().mockResolvedValueOnce({ gitVersion: 'v1.33.4' }).mockResolvedValue({ gitVersion: 'v1.34.0' });
  let now = 1;
  const version = askedKubernetesVersion({ raw }, { now: () => now });
  expect(await Promise.all([version.ask(signal), version.ask(signal)])).toEqual(['v1.33.4', 'v1.33.4']);
  now += 59_000;
  expect(await version.ask(signal)).toBe('v1.33.4');
  now += 2_000;
  expect(await version.ask(signal)).toBe('v1.34.0');
  expect(raw.mock.calls.map(([path]) => path)).toEqual(['/version', '/version']);
});

test('a question that fails is not remembered', async () => {
  const raw = vi.fn().mockRejectedValueOnce(new Error('down')).mockResolvedValue({ gitVersion: 'v1.34.0' });
  const version = askedKubernetesVersion({ raw });
  await expect(version.ask(signal)).rejects.toThrow('down');
  expect(await version.ask(signal)).toBe('v1.34.0');
});

test('nothing is asked for Modules that every version takes', async () => {
  const version = { ask: vi.fn().mockResolvedValue('v1.34.0') };
  expect(await versionFor([moduleFixture()], { version }, signal)).toBeUndefined();
  expect(version.ask).not.toHaveBeenCalled();
  expect(await versionFor([moduleFixture(), draModule], { version }, signal)).toBe('v1.34.0');
});
