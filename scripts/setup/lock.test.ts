import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withLock } from './lock.mjs';

test('two setups do their work one after the other, and one that waits too long says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kmm-lock-'));
  const file = join(folder, 'setup.lock');
  const order: string[] = [];
  await withLock({ file, limitSeconds: 10 }, async () => {
    order.push('first holds');
    const second = withLock({ file, limitSeconds: 0 }, async () => order.push('second works beside the first'));
    await expect(second).rejects.toMatchObject({ name: 'SetupError', remedy: expect.stringContaining(file) });
  });
  await withLock({ file, limitSeconds: 10 }, async () => order.push('third works'));
  expect(order).toEqual(['first holds', 'third works']);
  await rm(folder, { recursive: true });
});
