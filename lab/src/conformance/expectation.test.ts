import { HubError } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { becomes, is, stays, UnexpectedError } from './expectation.ts';

const { signal } = new AbortController();

class Refused extends HubError {
  readonly code = 'Refused';
  readonly retry = 'backoff';
  readonly remedy = 'Wait.';
}

/** Gives one value after the other, and the last one for ever. */
function values(...list: unknown[]) {
  return async () => {
    const value = list.length > 1 ? list.shift() : list[0];
    if (value instanceof Error) throw value;
    return value;
  };
}

describe('becomes', () => {
  test('waits for the value, through reads that fail', async () => {
    const read = values(undefined, new Refused('no'), { a: 1, b: undefined });
    await becomes('x', { read, expected: { a: 1 }, limitMs: 60_000 }, signal);
  });

  test('tells what was expected and what was seen last', async () => {
    const waiting = becomes('the data', { read: values({ a: 1 }), expected: { a: 2 }, limitMs: 200 }, signal);
    await expect(waiting).rejects.toMatchObject({ expected: '{"a":2}', seen: '{"a":1}' });
    await expect(waiting).rejects.toThrow(/^the data \(waited 0 s\): expected/);
  });

  test('tells a read that fails to the end', async () => {
    const waiting = becomes('x', { read: values(new Refused('no')), expected: 1, limitMs: 200 }, signal);
    await expect(waiting).rejects.toMatchObject({ seen: '"(no. Wait.)"' });
  });

  test('does not hide a mistake of its own', async () => {
    const waiting = becomes('x', { read: values(new TypeError('oops')), expected: 1, limitMs: 60_000 }, signal);
    await expect(waiting).rejects.toThrow(TypeError);
  });

  test('ends when it is stopped', async () => {
    const stopped = AbortSignal.abort(new Refused('stopped'));
    const waiting = becomes('x', { read: values(1), expected: 2, limitMs: 60_000 }, stopped);
    await expect(waiting).rejects.toThrow('stopped');
  });
});

test('stays passes a value that does not change, and fails by the first one that does', async () => {
  await stays('x', { read: values([1]), expected: [1], forMs: 200 }, signal);
  const changing = stays('the list', { read: values([1], [2]), expected: [1], forMs: 60_000 }, signal);
  await expect(changing).rejects.toMatchObject({ reason: 'the list', expected: '[1]', seen: '[2]' });
});

test('is compares as JSON, where undefined is no value', () => {
  is('x', { a: undefined }, {});
  is('x', undefined, null);
  expect(() => is('x', 1, 2)).toThrow(UnexpectedError);
});

test('a long value is cut', () => {
  expect(new UnexpectedError('x', { expected: 1, seen: 'a'.repeat(5000) }).seen.length).toBeLessThan(700);
});
