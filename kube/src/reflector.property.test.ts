import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { ModelServer, type Trouble } from '../test/model-server.ts';
import { Reflector } from './reflector.ts';

const patient = { timeout: 30_000, interval: 1 };
const log = pino({ level: 'silent' });

type Step =
  | { do: 'write'; name: string; value: number }
  | { do: 'delete'; name: string }
  | { do: 'trouble'; trouble: Trouble }
  | { do: 'cut' | 'compact' | 'breathe' };

const name = fc.constantFrom('a', 'b', 'c', 'd');
const trouble = fc.constantFrom<Trouble>('unreachable', 'internal', 'expired', 'throttled', 'no-streaming', 'cut-list');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), name, value: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trouble' as const), trouble }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'compact' as const, 'breathe' as const) }) },
);

async function play(server: ModelServer, now: Step): Promise<void> {
  if (now.do === 'write') server.write(now.name, String(now.value));
  else if (now.do === 'delete') server.remove(now.name);
  else if (now.do === 'trouble') server.troubles.push(now.trouble);
  else if (now.do === 'cut') server.cut();
  else if (now.do === 'compact') server.compact();
  else await new Promise((resolve) => setImmediate(resolve));
}

test('whatever happened, once it is quiet the cache, its index and its listeners equal a fresh list', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, duplicates) => {
    const server = new ModelServer({ duplicates });
    const backoff = { firstMs: 0.01, maxMs: 0.1 };
    const reflector = new Reflector<ConfigMap>({
      ...{ client: server.client, resource: configMap, log },
      timing: { backoff, shortMs: 0 },
      indexes: { value: ({ data }) => Object.values(data ?? {}) },
    });
    const told = new Map<string, ConfigMap>();
    reflector.cache.onChange(({ key, old, current }) => {
      expect(told.get(key)).toEqual(old);
      if (current === undefined) told.delete(key);
      else told.set(key, current);
    });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    for (const now of steps) await play(server, now);
    server.troubles.length = 0;
    const fresh = () => server.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
    const seen = (objects: Iterable<ConfigMap>) =>
      [...objects].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
    const settled = () => {
      expect([reflector.cache.synced, ...seen(reflector.cache.list())]).toEqual([true, ...fresh()]);
      expect(seen(told.values())).toEqual(fresh());
      const values = [...new Set(server.list().map(({ data }) => data?.value ?? ''))];
      expect(seen(values.flatMap((value) => reflector.cache.byIndex('value', value)))).toEqual(fresh());
    };
    await vi.waitFor(settled, patient);
    stop.abort();
    await running;
  });
  await fc.assert(property, { numRuns: 300, endOnFailure: true });
});

test('events alone keep the cache current: nothing is listed again without a 410', async () => {
  const server = new ModelServer({ duplicates: false });
  const timing = { backoff: { firstMs: 0.01, maxMs: 0.1 }, shortMs: 0 };
  const reflector = new Reflector<ConfigMap>({ client: server.client, resource: configMap, log, timing });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  for (let number = 0; number < 20; number += 1) {
    server.write('a', String(number));
    server.troubles.push('unreachable');
    server.cut();
    await vi.waitFor(() => expect(reflector.cache.get('a')?.data).toEqual({ value: String(number) }), patient);
  }
  expect(server.lists).toBe(1);
  server.troubles.push('expired');
  server.cut();
  await vi.waitFor(() => expect(server.lists).toBe(2), patient);
  stop.abort();
  await running;
});
