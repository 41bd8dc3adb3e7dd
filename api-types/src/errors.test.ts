import { expect, test } from 'vitest';
import { explain, UsageError } from './errors.ts';

test.each<[string, unknown, string]>([
  [
    'an error of ours with its remedy',
    new UsageError('--redis is missing', 'Give it.'),
    '--redis is missing. Give it.',
  ],
  ['a message that ends with a full stop', new UsageError('It failed.', 'Try again.'), 'It failed. Try again.'],
  ['any other error by its message', new RangeError('out of range'), 'out of range'],
  ['what is no error as text', 42, '42'],
])('explains %s', (_what, error, text) => {
  expect(explain(error)).toBe(text);
});
