import { describe, expect, test } from 'vitest';
import { firstValueAt, JsonPathError, toStandardPath } from './json-path.ts';

const object = {
  metadata: { labels: { 'app.kubernetes.io/name': 'x', "it's": 'y' } },
  status: {
    conditions: [
      { type: 'Synced', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
    moduleLoader: { availableNumber: 3 },
  },
};

test.each([
  ['.status.moduleLoader.availableNumber', 3],
  ['$.status.moduleLoader.availableNumber', 3],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".status.conditions[?(@.type=='Ready')].status", 'True'],
  ['.status.conditions[?(@.status!="False")].type', 'Ready'],
  ['.status.conditions[1].type', 'Ready'],
  ['.status.conditions[-1:].type', 'Ready'],
  ['.status.conditions[*].type', 'Synced'],
  ['.status.conditions.*.type', 'Synced'],
  ['..availableNumber', 3],
  ['.metadata.labels.app\\.kubernetes\\.io/name', 'x'],
  ["['metadata']['labels']['app.kubernetes.io/name']", 'x'],
  [".metadata.labels.it's", 'y'],
  ['.status.nothing.at.all', undefined],
  ['.status.conditions[?(@.type=="Gone")].status', undefined],
])('%s finds %j', (path, value) => {
  expect(firstValueAt(object, path)).toBe(value);
});

describe('a path that cannot be read', () => {
  test.each(['.status[', '.status.conditions[?(@.type==]', '.a..', 'a[(1)]'])('%s is told as such', (path) => {
    expect(() => firstValueAt(object, path)).toThrow(JsonPathError);
  });

  test('never runs as code', () => {
    const path = '$[?(constructor.constructor("globalThis.ran = true")())]';
    expect(() => firstValueAt(object, path)).toThrow(JsonPathError);
    expect(globalThis).not.toHaveProperty('ran');
  });
});

test('translates into the standard dialect', () => {
  expect(toStandardPath('.a-b.c\\.d[0]..e.*')).toBe("$['a-b']['c.d'][0]..['e'].*");
});
