import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterOn, dockerfileWith, fleetInMemory, moduleWith, onKubernetes } from '../test-objects.fixture.ts';
import { connectTriggers } from '../triggers.ts';
import { Demand } from './demand.ts';
import type { Fleet } from './fleet.ts';

// Few of each, so that events meet: modules share targets, clusters share kernels.
const MODULES = ['a', 'b'];
const CLUSTERS = ['c1', 'c2', 'c3'];
const tier = fc.constantFrom('x', 'y');
const cluster = fc
  .record({
    name: fc.constantFrom(...CLUSTERS),
    kernels: fc.subarray(['6.1.0', '6.1.0+', '6.2.0']),
    version: fc.constantFrom('v1.33.0', 'v1.34.0'),
    tier,
  })
  .map(({ name, kernels, version, ...labels }) => ({
    cache: 'clusters' as const,
    object: onKubernetes(version, clusterOn(name, kernels, labels)),
  }));
const module = fc
  .record({
    name: fc.constantFrom(...MODULES),
    image: fc.constantFrom('own', 'shared'),
    createdAt: fc.constantFrom('1', '2'),
    dra: fc.boolean(),
    tier,
  })
  .map(({ name, image, createdAt, dra, ...selector }) => {
    const containerImage = `r.example/${image === 'own' ? name : 'shared'}:\${KERNEL_FULL_VERSION}`;
    const container = { kernelMappings: [{ regexp: '^.+$', containerImage }] };
    return { cache: 'modules' as const, object: moduleWith({ name, createdAt, spec: { selector }, container, dra }) };
  });
const configMap = fc
  .constantFrom('FROM a', 'FROM b')
  .map((text) => ({ cache: 'configMaps' as const, object: dockerfileWith(text) }));
const change = fc.oneof(cluster, module, configMap);
const step = fc.record({ change, type: fc.constantFrom('MODIFIED' as const, 'DELETED' as const), asked: fc.boolean() });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** As a watch does. `version` is the server's: every change has its own. */
function apply(fleet: Fleet, { change: { cache, object }, type }: Step, version: number): void {
  const metadata = { ...object.metadata, resourceVersion: `${version}`, generation: version };
  fleet[cache].apply({ type, object: { ...object, metadata } as never });
}

/** All that the hub decides by, in comparable form. */
function stateOf(demand: Demand) {
  return MODULES.map((name) => ({
    name,
    clusters: demand.imagesOf(name).length === 0 ? [] : CLUSTERS.filter((one) => demand.plansFor(name, one).length > 0),
    recipes: demand.imagesOf(name).map((image) => ({
      image,
      recipeKey: demand.recipeFor(image)?.recipe.spec.recipeKey,
      wanters: demand.wanters(image).sort(),
      weight: demand.weightOf(image),
      counts: demand.recipeFor(image)?.owner.metadata.name,
      for: demand.clustersFor(name, image).sort(),
    })),
  }));
}

test('whatever the order of events, and whenever somebody asks, the demand is that of a hub that just started', () => {
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const fleet = fleetInMemory();
    const demand = new Demand(fleet);
    const nothing = () => undefined;
    connectTriggers({ fleet, demand, recipes: nothing, images: nothing, works: nothing, status: nothing });
    for (const [version, one] of steps.entries()) {
      apply(fleet, one, version + 1);
      if (one.asked) stateOf(demand);
    }
    const fresh = new Demand(fleet);
    for (const name of MODULES) fresh.touch(name);
    expect(stateOf(demand)).toEqual(stateOf(fresh));
  });
  fc.assert(property, { numRuns: 300 });
});
