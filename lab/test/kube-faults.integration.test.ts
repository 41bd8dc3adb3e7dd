import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFaultCampaign } from '../src/faults/campaign.ts';
import { runFolder } from '../src/host/run-folder.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;
beforeAll(async () => {
  folder = await runFolder('test-faults');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('whatever faults a reflector meets, once it is quiet its cache equals a fresh list', async () => {
  const seed = Date.now() % 2 ** 32; // printed with what was done when it fails
  let last = '';
  const onRound = (round: number, steps: readonly string[]) => {
    last = `round ${round}: ${steps.join(', ')}`;
  };
  const campaign = runFaultCampaign({ folder, minutes: 0.5, seed, onRound, signal });
  const outcome = await campaign.catch((error: unknown) => ({ seed, last, error }));
  expect(outcome).toBeGreaterThan(3);
}, 180_000);
