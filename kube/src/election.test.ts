import { pino } from 'pino';
import { expect, test } from 'vitest';
import { clientMetrics } from './client-metrics.ts';
import { LeaseElection, noElection } from './election.ts';
import { metricsRegistry } from './metrics.ts';

function candidate() {
  const registry = metricsRegistry();
  const connection = { server: 'http://127.0.0.1:1', credentials: async () => ({}) }; // nobody answers there
  const lease = { namespace: 'n', name: 'l' };
  const log = pino({ level: 'silent' });
  const observer = clientMetrics(registry);
  return { registry, election: new LeaseElection({ connection, lease, component: 'test', registry, observer, log }) };
}

test('an instance that was never elected stands by, and its fence lets nothing pass', async () => {
  const { registry, election } = candidate();
  await using _ = election;
  expect(election.role).toBe('standby');
  expect(election.fence).toThrow(expect.objectContaining({ code: 'LeadershipLost' }));
  expect(await registry.metrics()).toContain('leader_election_master_status{name="l"} 0');
});

test('an instance that is told to stop while it waits ends without having worked', async () => {
  const { election } = candidate();
  await using _ = election;
  const stopping = new AbortController();
  const running = election.run(() => Promise.reject(new Error('it worked')), stopping.signal);
  stopping.abort();
  await expect(running).resolves.toBeUndefined();
});

test('the only instance there is works at once, and nothing holds its writes back', async () => {
  const { signal } = new AbortController();
  const given: AbortSignal[] = [];
  await noElection.run(async (term) => void given.push(term), signal);
  expect([given, noElection.role]).toEqual([[signal], undefined]);
  expect(noElection.fence).not.toThrow();
});
