import { expect, test } from 'vitest';
import { countBuilds } from './builds.ts';

const [one, two] = ['a'.repeat(40), 'b'.repeat(40)];
const step = (job: string, name: string) =>
  `{"level":30,"name":"worker","job":"${job}","step":"${name}","msg":"step"}\n`;

test('builds are counted image by image, over all starts of the worker, and nothing else is', () => {
  const log = [
    step(one, 'Looking') + step(one, 'Building') + step(two, 'Building'),
    step(one, 'Building').slice(0, 60), // killed while it wrote
    '\n{"level":30,"name":"worker","msg":"worker started"}\n',
    step(one, 'Building') + step(one, 'Signing'),
  ];
  expect(Object.fromEntries(countBuilds(log.join('')))).toEqual({ [one]: 2, [two]: 1 });
});
