import { type Logger, symbols } from 'pino';
import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

/** What the logger makes of an error under `err`. */
function logged(err: Error): Record<string, unknown> {
  const logger = createLogger({ process: 'test', pretty: false }) as Logger & {
    [symbols.serializersSym]: { err: (err: Error) => Record<string, unknown> };
  };
  const { stack, ...fields } = logger[symbols.serializersSym].err(err);
  return { ...fields, hasStack: typeof stack === 'string' };
}

test('an error is logged with its code and without what a library hangs on it', () => {
  // as ioredis throws it when the password is wrong
  const command = { name: 'hello', args: ['3', 'AUTH', 'default', 'hunter2'] };
  const err = Object.assign(new Error('WRONGPASS invalid username-password pair'), { code: 'WRONGPASS', command });
  expect(logged(err)).toEqual({ type: 'Error', message: err.message, code: 'WRONGPASS', hasStack: true });
});

test('of several errors in one, each message is logged', () => {
  const err = new AggregateError([new Error('one'), new Error('two')], 'both failed');
  expect(logged(err)).toEqual({
    type: 'AggregateError',
    message: 'both failed',
    errors: ['one', 'two'],
    hasStack: true,
  });
});
