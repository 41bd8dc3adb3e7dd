import { expect, test, vi } from 'vitest';
import type { ClusterEntry } from './cluster-sums.ts';
import { ModuleSums } from './module-sums.ts';

function sumsOf(clusters: string[]) {
  const look = vi.fn((_module: string, _cluster: string): ClusterEntry => ({ work: 'exists' }));
  const sums = new ModuleSums({ look, clustersOf: () => clusters });
  const lookedAt = () => look.mock.calls.splice(0).map(([module, cluster]) => `${module}/${cluster}`);
  return { sums, lookedAt };
}

test('a change of one cluster looks at that cluster alone, once for a burst of changes', () => {
  const { sums, lookedAt } = sumsOf(['c1', 'c2', 'c3']);
  sums.of('nic');
  lookedAt();
  for (let time = 0; time < 3; time += 1) sums.touch('nic', 'c2');
  sums.of('nic');
  sums.of('nic');
  expect(lookedAt()).toEqual(['nic/c2']);
});

test('a change of the module looks at every cluster, also at those it does not select any more', () => {
  const clusters = ['c1', 'c2'];
  const { sums, lookedAt } = sumsOf(clusters);
  sums.of('nic');
  lookedAt();
  clusters.splice(0, 1, 'c3');
  sums.touch('nic');
  sums.touch('nic', 'c2');
  sums.of('nic');
  expect(lookedAt()).toEqual(['nic/c1', 'nic/c2', 'nic/c3']);
});

test('nothing is kept of a module that is gone', () => {
  const { sums, lookedAt } = sumsOf(['c1']);
  sums.of('nic');
  sums.forget('nic');
  lookedAt();
  sums.touch('nic', 'c1');
  expect(sums.of('nic').totals.works).toBe(1);
  expect(lookedAt()).toEqual(['nic/c1']);
});
