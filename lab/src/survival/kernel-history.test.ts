import { expect, test } from 'vitest';
import { type Boot, isLoadedOnce, isUnloadedOnce, readBoots } from './kernel-history.ts';

const CONSOLE = `
[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)
[   15.648710] round_1: loading out-of-tree module taints kernel.
[   15.656697] round_1: hello-from-the-hub
[   16.656697] round_11: hello-from-the-hub
[   17.000000] round_1: goodbye
[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)
[    0.000000] Linux version 6.12.117+deb12-cloud-amd64 (debian-kernel@lists.debian.org)
[   18.886287] round_1: hello-again\r
`;

test('the words of a module are read start by start, and those of others are left out', () => {
  const boots = readBoots(CONSOLE, { name: 'round-1', kernelModule: 'round_1' });
  expect(boots).toEqual([['loaded', 'unloaded'], [], ['loaded']]);
});

const on = 'loaded' as const;
const off = 'unloaded' as const;
test.each<{ behaviour: string; boots: Boot[]; loadedOnce: boolean; unloadedOnce: boolean }>([
  { behaviour: 'loaded', boots: [[on]], loadedOnce: true, unloadedOnce: false },
  { behaviour: 'loaded again after a power cut', boots: [[on], [on]], loadedOnce: true, unloadedOnce: false },
  { behaviour: 'cut before it came', boots: [[], [on]], loadedOnce: true, unloadedOnce: false },
  { behaviour: 'loaded twice in one start', boots: [[on, off, on]], loadedOnce: false, unloadedOnce: false },
  { behaviour: 'let go in between', boots: [[on, off]], loadedOnce: false, unloadedOnce: true },
  { behaviour: 'lost by a power cut', boots: [[on], []], loadedOnce: false, unloadedOnce: true },
  { behaviour: 'cut while it goes', boots: [[on], [on, off]], loadedOnce: false, unloadedOnce: true },
  { behaviour: 'there again after it went', boots: [[on, off, on, off]], loadedOnce: false, unloadedOnce: false },
])('a module that is $behaviour: loaded once $loadedOnce, unloaded once $unloadedOnce', (row) => {
  expect({ loadedOnce: isLoadedOnce(row.boots), unloadedOnce: isUnloadedOnce(row.boots) }).toEqual({
    loadedOnce: row.loadedOnce,
    unloadedOnce: row.unloadedOnce,
  });
});
