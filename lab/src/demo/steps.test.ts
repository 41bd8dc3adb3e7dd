import { expect, test } from 'vitest';
import type { Step } from '../world/world-steps.ts';
import { StepFailedError, Steps } from './steps.ts';

const unseen = () => undefined;
const step = (name: string, run: Step['run'] = async () => undefined): Step => ({ name, run });
const failing = (name: string, why: Error): Step => step(name, () => Promise.reject(why));
const runFailing = (why: Error) =>
  new Steps('.run/demo-1').run(failing('hub', why), unseen).catch((err: unknown) => err);

test('records each step with its outcome, the failed one last', async () => {
  const steps = new Steps('.run/demo-1');
  await steps.run(step('first'), unseen);
  await expect(steps.run(failing('second', new RangeError('no disk')), unseen)).rejects.toThrow(StepFailedError);
  const seconds = expect.any(Number);
  expect(steps.results).toEqual([
    { name: 'first', ok: true, seconds },
    { name: 'second', ok: false, seconds },
  ]);
});

test('shows every line that a step tells and records the last one', async () => {
  const shown: string[] = [];
  const telling = step('boot', async (tell) => ['off', 'on'].forEach(tell));
  const result = await new Steps('x').run(telling, (line) => shown.push(line));
  expect(shown).toEqual(['off', 'on']);
  expect(result).toMatchObject({ name: 'boot', ok: true, says: 'on' });
});

test('says which step failed, why down to the cause, and where the logs are', async () => {
  const why = new RangeError('the hub is not ready', { cause: new RangeError('connection refused') });
  expect(await runFailing(why)).toMatchObject({
    message: 'step "hub" failed: the hub is not ready: connection refused',
    remedy: 'The logs of this run are in .run/demo-1.',
  });
});

test('tells a cause once when the message holds it already', async () => {
  const why = new RangeError('not ready: refused', { cause: new RangeError('refused') });
  expect(await runFailing(why)).toMatchObject({ message: 'step "hub" failed: not ready: refused' });
});
