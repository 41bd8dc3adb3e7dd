import type { KubeObject, Lease, Resource } from '@kmm-hub/api-types';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConflictError, NotFoundError, UnreachableError } from './errors.ts';
import { type LeaderElectionOptions, type Leading, runAsLeader } from './leader-election.ts';
import { instant, Leadership } from './leadership.ts';

const log = pino({ level: 'silent' });
const lease = { namespace: 'n', name: 'l' };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An API server for one lease. `down`: nobody is answered; `deaf`: what is asked is done, and nobody is answered. */
function leaseServer(start?: Lease['spec']) {
  let version = 1;
  const stored = (spec: Lease['spec']): Lease => ({
    metadata: { ...lease, resourceVersion: String(version) },
    ...(spec && { spec }),
  });
  const server = { current: start && stored(start), down: false, deaf: false, renewals: 0 };
  const reach = () => {
    if (server.down) throw new UnreachableError('s', {});
  };
  const write = (spec: Lease['spec']) => {
    version += 1;
    server.renewals += 1;
    server.current = stored(spec);
    if (server.deaf) throw new UnreachableError('s', {});
    return server.current;
  };
  const client = {
    getIfPresent: async () => {
      reach();
      return server.current;
    },
    create: async (_resource: Resource<Lease>, object: Lease) => {
      reach();
      return write(object.spec);
    },
    replace: async (_resource: Resource<Lease>, { object }: { object: Lease }) => {
      reach();
      if (server.current === undefined) throw new NotFoundError('PUT', 404, {});
      if (object.metadata.resourceVersion !== server.current.metadata.resourceVersion)
        throw new ConflictError('PUT', 409, {});
      return write(object.spec);
    },
  } as unknown as LeaderElectionOptions['client'];
  const take = (spec: Lease['spec']) => void write(spec);
  return Object.assign(server, { client, take });
}

/** Runs one candidate; `leading` is set while its work runs. */
function candidate(client: LeaderElectionOptions['client']) {
  const stop = new AbortController();
  const state: { leading: Leading | undefined; error: unknown } = { leading: undefined, error: undefined };
  const work = async (leading: Leading) => {
    state.leading = leading;
    await new Promise((resolve) => leading.signal.addEventListener('abort', resolve));
    state.leading = undefined;
  };
  const running = runAsLeader({ client, lease, identity: 'me', log }, work, stop.signal).catch((err: unknown) => {
    state.error = err;
  });
  const end = async () => {
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    await running;
  };
  return { state, end };
}

const other = { holderIdentity: 'other', leaseDurationSeconds: 10, leaseTransitions: 4 };

test('a lease that is not there is taken at once, renewed, and given back at the end', async () => {
  const server = leaseServer();
  const { state, end } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  expect(state.leading).toBeDefined();
  expect(server.current?.spec).toMatchObject({ holderIdentity: 'me', leaseDurationSeconds: 10, leaseTransitions: 0 });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(server.renewals).toBe(11); // every two seconds
  await end();
  expect([state.error, server.current?.spec?.holderIdentity]).toEqual([undefined, '']);
});

test.each([
  ['an hour behind', -3_600_000],
  ['an hour ahead', 3_600_000],
])('a leader whose clock is %s keeps its lease as long as it renews, and no longer', async (_skew, skewMs) => {
  const renewTime = () => new Date(Date.now() + skewMs).toISOString();
  const server = leaseServer({ ...other, renewTime: renewTime() });
  const { state, end } = candidate(server.client);
  for (let renewal = 0; renewal < 20; renewal += 1) {
    await vi.advanceTimersByTimeAsync(2000);
    server.take({ ...other, renewTime: renewTime() });
  }
  expect(state.leading).toBeUndefined();
  await vi.advanceTimersByTimeAsync(9900);
  expect(state.leading).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2700);
  expect(state.leading).toBeDefined();
  expect(server.current?.spec).toMatchObject({ holderIdentity: 'me', leaseTransitions: 5 });
  await end();
});

test('a leader that cannot renew stops before its lease is over', async () => {
  const server = leaseServer();
  const { state } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  const fence = state.leading?.fence as () => void;
  server.down = true;
  await vi.advanceTimersByTimeAsync(6900);
  expect(fence).not.toThrow();
  await vi.advanceTimersByTimeAsync(200);
  expect(fence).toThrow('lease l is lost: it was not renewed in time');
  expect(state).toMatchObject({ leading: undefined, error: { code: 'LeadershipLost' } });
});

test('a leader whose lease another took stops at its next look', async () => {
  const server = leaseServer();
  const { state } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  server.take(other);
  await vi.advanceTimersByTimeAsync(2000);
  expect(state).toMatchObject({ leading: undefined, error: { message: 'lease l is lost: another instance holds it' } });
  expect(server.current?.spec).toEqual(other);
});

test('a lease that somebody deletes is made again', async () => {
  const server = leaseServer();
  const { state, end } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  server.current = undefined;
  await vi.advanceTimersByTimeAsync(2000);
  expect(state.leading).toBeDefined();
  expect((server.current as (KubeObject & Lease) | undefined)?.spec?.holderIdentity).toBe('me');
  await end();
});

test('an API server that is away for a moment costs nobody the lead', async () => {
  const server = leaseServer();
  const { state, end } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  server.down = true;
  await vi.advanceTimersByTimeAsync(5000);
  server.down = false;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(state.leading).toBeDefined();
  await end();
});

test.each([
  ['the monotonic clock', () => vi.advanceTimersByTime(1001)],
  ['the wall clock alone, as after the machine was suspended', () => vi.setSystemTime(Date.now() + 1001)],
])('a term is over by %s, though no timer of this process ran', (_clock, pass) => {
  const leadership = new Leadership({ lease: 'l', validMs: 1000, since: instant() });
  expect(leadership.fence).not.toThrow();
  pass();
  expect(leadership.signal.aborted).toBe(false);
  expect(leadership.fence).toThrow('is lost');
  expect(leadership.signal.aborted).toBe(true);
});

test('a lease is given back also when nobody heard that its last renewal landed', async () => {
  const server = leaseServer();
  const { state, end } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  server.deaf = true;
  await vi.advanceTimersByTimeAsync(2000);
  server.deaf = false;
  await end();
  expect([state.error, server.current?.spec?.holderIdentity]).toEqual([undefined, '']);
});

test('a lease that another took meanwhile is not given back in its place', async () => {
  const server = leaseServer();
  const { end } = candidate(server.client);
  await vi.advanceTimersByTimeAsync(0);
  server.take(other);
  await end();
  expect(server.current?.spec).toEqual(other);
});
