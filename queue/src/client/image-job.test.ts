import { expect, test } from 'vitest';
import { concurrencyOf, readStep, workerName } from './image-job.ts';

test.each([
  [{ step: 'Building' }, 'Building'],
  [{ step: 'Dancing' }, undefined],
  [{}, undefined],
  [null, undefined],
  [42, undefined],
])('progress %j is step %s', (progress, step) => {
  expect(readStep(progress)).toBe(step);
});

test.each([
  [`{kmm-hub}:bW9kdWxl:w:${workerName(4)}`, 4],
  [`{kmm-hub}:bW9kdWxl:w:${workerName(256)}`, 256],
  ['{kmm-hub}:bW9kdWxl:w:at-once-999999999', 0],
  ['{kmm-hub}:bW9kdWxl', 0],
  ['', 0],
])('the client %s is a worker of %i jobs at once', (name, concurrency) => {
  expect(concurrencyOf(name)).toBe(concurrency);
});
