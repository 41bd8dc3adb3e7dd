import { type ConfigMap, configMap, type KubeEvent, type KubeObject, type Resource } from '@kmm-hub/api-types';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { PatchOptions } from './client.ts';
import { NotFoundError, UnreachableError } from './errors.ts';
import { EventBudget, eventDefaults, RecentMap } from './event-limits.ts';
import { type EventOptions, EventRecorder } from './event-recorder.ts';

const { signal } = new AbortController();
const log = pino({ level: 'silent' });
const object: ConfigMap = { metadata: { name: 'x', namespace: 'n', uid: 'u' } };
const failed: EventOptions = { resource: configMap, object, type: 'Warning', reason: 'Failed', message: 'no kernel' };

/** An API server for events only; `failure` is thrown by the next write. */
function eventServer() {
  const events = new Map<string, KubeEvent>();
  const server = { events, failure: undefined as unknown };
  const fail = () => {
    const { failure } = server;
    server.failure = undefined;
    if (failure !== undefined) throw failure;
  };
  const create = async <T extends KubeObject>(_resource: Resource<T>, made: T) => {
    fail();
    events.set(made.metadata.name, made as unknown as KubeEvent);
    return made;
  };
  const patch = async <T extends KubeObject>(_resource: Resource<T>, { ref, patch: change }: PatchOptions) => {
    fail();
    const event = events.get(ref.name);
    if (event === undefined) throw new NotFoundError('PATCH', 404, {});
    events.set(ref.name, { ...event, ...(change as object) });
    return event as unknown as T;
  };
  const recorder = new EventRecorder({ client: { create, patch } as never, component: 'test', log });
  const counts = () => [...events.values()].map(({ count, message }) => [count, message]);
  return { server, events, recorder, counts };
}

test('the same event again raises the count of the first one, also when both are told at once', async () => {
  const { recorder, counts, events } = eventServer();
  await Promise.all([recorder.record(failed, signal), recorder.record(failed, signal)]);
  await recorder.record(failed, signal);
  expect(counts()).toEqual([[3, 'no kernel']]);
  const [event] = events.values();
  expect(event?.involvedObject).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', namespace: 'n', uid: 'u' });
});

test('an event that the API server has dropped meanwhile is made again', async () => {
  const { recorder, events, counts } = eventServer();
  await recorder.record(failed, signal);
  events.clear();
  await recorder.record(failed, signal);
  expect(counts()).toEqual([[1, 'no kernel']]);
});

test('a write that fails is no error, and the next one counts on', async () => {
  const { server, recorder, counts } = eventServer();
  await recorder.record(failed, signal);
  server.failure = new UnreachableError('s', {});
  await expect(recorder.record(failed, signal)).resolves.toBeUndefined();
  await recorder.record(failed, signal);
  expect(counts()).toEqual([[2, 'no kernel']]);
});

test('events that differ in their words only become one after the tenth', async () => {
  const { recorder, counts } = eventServer();
  for (let number = 1; number <= 14; number += 1) {
    await recorder.record({ ...failed, message: `attempt ${number}` }, signal);
  }
  expect(counts()).toHaveLength(eventDefaults.similar + 1);
  expect(counts().at(-1)).toEqual([4, '(combined from similar events) attempt 14']);
});

test('an event carries its annotations, one that stands for several does not', async () => {
  const { recorder, events } = eventServer();
  for (let number = 1; number <= eventDefaults.similar + 1; number += 1) {
    const annotations = { module: `n/${number}` };
    await recorder.record({ ...failed, message: `module ${number}`, annotations }, signal);
  }
  const written = [...events.values()].map(({ metadata }) => metadata.annotations?.module);
  expect(written).toEqual([...Array.from({ length: eventDefaults.similar }, (_, at) => `n/${at + 1}`), undefined]);
});

test('a flood of one object is cut short and leaves others their events', async () => {
  const { recorder, counts } = eventServer();
  for (let number = 0; number < 40; number += 1) await recorder.record(failed, signal);
  const other = { ...object, metadata: { ...object.metadata, uid: 'v' } };
  await recorder.record({ ...failed, object: other }, signal);
  expect(counts()).toEqual([
    [eventDefaults.burst, 'no kernel'],
    [1, 'no kernel'],
  ]);
});

test('a budget fills up again with time', () => {
  const budget = new EventBudget();
  for (let number = 0; number < eventDefaults.burst; number += 1) expect(budget.take('o', 0)).toBe(true);
  expect(budget.take('o', eventDefaults.refillMs / 2)).toBe(false);
  expect(budget.take('o', eventDefaults.refillMs)).toBe(true);
  expect(budget.take('o', eventDefaults.refillMs)).toBe(false);
});

test('a full memory forgets what was unused for longest', () => {
  const map = new RecentMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
});
