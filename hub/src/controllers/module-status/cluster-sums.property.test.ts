import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moduleWith } from '../../test-objects.fixture.ts';
import { type ClusterEntry, ClusterSums } from './cluster-sums.ts';
import { ModuleSums } from './module-sums.ts';
import { planStatus } from './plan.ts';

const NAMES = Array.from({ length: 14 }, (_, index) => `c${index}`); // more than the ten that are named
const seen = fc.record({
  state: fc.constantFrom('Available' as const, 'Progressing' as const, 'Degraded' as const),
  ...{ reason: fc.constantFrom('A', 'B'), message: fc.constant('m') },
  ...{ nodesDesired: fc.nat(5), nodesAvailable: fc.nat(5) },
});
const entry: fc.Arbitrary<ClusterEntry> = fc.record(
  {
    work: fc.constantFrom('none' as const, 'exists' as const, 'applied' as const),
    ...{ seen, uncovered: fc.record({ reason: fc.constant('R'), message: fc.constant('m') }), unsure: fc.boolean() },
  },
  { requiredKeys: ['work'] },
);
const change = fc.record({
  name: fc.constantFrom(...NAMES),
  entry: fc.option(entry, { nil: undefined }),
  asked: fc.boolean(),
});

test('sums that were kept as clusters changed are those of a hub that just started', () => {
  const property = fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
    const now = new Map<string, ClusterEntry>();
    const sums = new ModuleSums({ look: (_module, cluster) => now.get(cluster), clustersOf: () => now.keys() });
    sums.of('nic');
    for (const { name, entry: next, asked } of changes) {
      if (next === undefined) now.delete(name);
      else now.set(name, next);
      sums.touch('nic', name);
      if (asked) sums.of('nic');
    }
    const fresh = new ClusterSums();
    for (const [name, one] of [...now].reverse()) fresh.set(name, one);
    expect(sums.of('nic').totals).toEqual(fresh.totals);
    expect(planStatus(moduleWith(), sums.of('nic'))).toEqual(planStatus(moduleWith(), fresh));
  });
  fc.assert(property);
});
