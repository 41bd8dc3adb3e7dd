import { expect, test } from 'vitest';
import { feedbackValues } from './feedback-values.ts';

const object = {
  apiVersion: 'test.io/v1',
  kind: 'Widget',
  metadata: { name: 'w', generation: 4 },
  status: { count: 2, text: 'x', ok: false, nothing: null, ratio: 0.5, map: {}, huge: 2 ** 60 },
};
const paths = (...list: { name: string; path: string; version?: string }[]) => [
  { type: 'JSONPaths' as const, jsonPaths: list },
];

test('integers, strings and booleans come back under their names; null and nothing are left out', () => {
  const rules = paths(
    { name: 'n', path: '.status.count' },
    { name: 's', path: '.status.text' },
    { name: 'b', path: '.status.ok' },
    { name: 'null', path: '.status.nothing' },
    { name: 'gone', path: '.status.gone' },
    { name: 'generation', path: '.metadata.generation', version: 'v1' },
  );
  expect(feedbackValues(object, rules)).toEqual({
    values: [
      { name: 'n', fieldValue: { type: 'Integer', integer: 2 } },
      { name: 's', fieldValue: { type: 'String', string: 'x' } },
      { name: 'b', fieldValue: { type: 'Boolean', boolean: false } },
      { name: 'generation', fieldValue: { type: 'Integer', integer: 4 } },
    ],
    problems: [],
  });
});

test.each([
  ['a float', { path: '.status.ratio' }],
  ['a map', { path: '.status.map' }],
  ['an integer that JavaScript cannot hold', { path: '.status.huge' }],
  ['a path for another version', { path: '.status.count', version: 'v2' }],
  ['a path that cannot be read', { path: '.status[' }],
])('%s is a problem, and the other values are delivered all the same', (_what, wanted) => {
  const rules = paths({ name: 'bad', ...wanted }, { name: 'good', path: '.status.count' });
  expect(feedbackValues(object, rules)).toEqual({
    values: [{ name: 'good', fieldValue: { type: 'Integer', integer: 2 } }],
    problems: [expect.any(String)],
  });
});

test('of two values with one name the first is sent, since the API server refuses both', () => {
  const rules = paths({ name: 'n', path: '.status.count' }, { name: 'n', path: '.status.text' });
  expect(feedbackValues(object, rules).values).toEqual([{ name: 'n', fieldValue: { type: 'Integer', integer: 2 } }]);
});

const ready = [{ type: 'Ready', status: 'True' }];
const complete = [{ type: 'Complete', status: 'True' }];
test.each([
  ['apps/v1/Deployment', { replicas: 2, readyReplicas: 1 }, { ReadyReplicas: 1, Replicas: 2 }],
  ['apps/v1/DaemonSet', { numberReady: 1, desiredNumberScheduled: 3 }, { NumberReady: 1, DesiredNumberScheduled: 3 }],
  ['batch/v1/Job', { succeeded: 1, conditions: complete }, { JobComplete: 'True', JobSucceeded: 1 }],
  ['v1/Pod', { phase: 'Running', conditions: ready }, { PodReady: 'True', PodPhase: 'Running' }],
])('the well-known status of a %s', (type, status, want) => {
  const [kind = '', ...version] = type.split('/').reverse();
  const known = { apiVersion: version.reverse().join('/'), kind, metadata: { name: 'x' }, status };
  const { values, problems } = feedbackValues(known, [{ type: 'WellKnownStatus' }]);
  const read = values.map(({ name, fieldValue: { integer, string } }) => [name, integer ?? string]);
  expect(Object.fromEntries(read)).toEqual(want);
  expect(problems).toEqual([]);
});

test('a kind without a well-known status is a problem', () => {
  const { values, problems } = feedbackValues(object, [{ type: 'WellKnownStatus' }]);
  expect([values, problems]).toEqual([[], [expect.stringContaining('cannot find the wellknown statuses')]]);
});
