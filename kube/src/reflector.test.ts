import { configMap } from '@kmm-hub/api-types';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { WatchOptions } from './client.ts';
import { UnreachableError } from './errors.ts';
import { Reflector, type ReflectorOptions, reflectorDefaults } from './reflector.ts';

test('by itself, a connection that dies in silence is noticed within a minute', async () => {
  const stop = new AbortController();
  const asked: WatchOptions[] = [];
  const watch = async (_resource: unknown, options: WatchOptions) => {
    asked.push(options);
    if (asked.length === 50) stop.abort();
    throw new UnreachableError('s', {});
  };
  const client = { server: 's', watch } as unknown as ReflectorOptions<never>['client'];
  const backoff = { firstMs: 0, maxMs: 0 };
  const reflector = new Reflector({ client, resource: configMap, log: pino({ level: 'silent' }), timing: { backoff } });
  await reflector.run(stop.signal);
  const silence = asked.map(({ timeoutSeconds, graceMs = 0 }) => timeoutSeconds * 1000 + graceMs);
  expect(Math.max(...silence) + reflectorDefaults.backoff.firstMs).toBeLessThan(60_000);
  expect(new Set(silence).size).toBeGreaterThan(1); // drawn, so that not every watch of a process ends at once
});
