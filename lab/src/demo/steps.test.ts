import { expect, test } from 'vitest';
import { StepFailedError, Steps } from './steps.ts';

test('records each step with its outcome, the failed one last', async () => {
  const steps = new Steps('.run/demo-1');
  await steps.run('first', async () => 1);
  await expect(steps.run('second', () => Promise.reject(new RangeError('no disk')))).rejects.toThrow(StepFailedError);
  const seconds = expect.any(Number);
  expect(steps.results).toEqual([
    { name: 'first', ok: true, seconds },
    { name: 'second', ok: false, seconds },
  ]);
});

test('says which step failed, why down to the cause, and where the logs are', async () => {
  const why = new RangeError('the hub is not ready', { cause: new RangeError('connection refused') });
  const error = await new Steps('.run/demo-1').run('hub', () => Promise.reject(why)).catch((err: unknown) => err);
  expect(error).toMatchObject({
    message: 'step "hub" failed: the hub is not ready: connection refused',
    remedy: 'The logs of this run are in .run/demo-1.',
  });
});

test('tells a cause once when the message holds it already', async () => {
  const why = new RangeError('not ready: refused', { cause: new RangeError('refused') });
  const error = await new Steps('x').run('hub', () => Promise.reject(why)).catch((err: Error) => err);
  expect(error).toMatchObject({ message: 'step "hub" failed: not ready: refused' });
});
