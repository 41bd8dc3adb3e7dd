import { explain } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { QueueUnreachableError, withoutPassword } from './errors.ts';

test.each([
  ['redis://:secret@host:6379', 'redis://host:6379'],
  ['rediss://user:secret@host:6379/2?a=b', 'rediss://host:6379'],
  ['secret', 'the given address'],
])('%s is shown as %s', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown);
});

test('the error says where, why and what to do, and no password', () => {
  const error = new QueueUnreachableError('redis://:secret@host:1', { cause: new Error('connect ECONNREFUSED') });
  expect(explain(error)).toBe(
    'Redis at redis://host:1 cannot be used: connect ECONNREFUSED. ' +
      'Check --redis (redis://:PASSWORD@HOST:PORT) and that Redis is up.',
  );
});
