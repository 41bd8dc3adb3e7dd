import { expect, test } from 'vitest';
import { BuildFailedError } from '../executors/errors.ts';
import { failureWords } from './failure-words.ts';

const COMPILER = "/src/a.c:5:75: error: expected ';' before 'return'";
const failed = (...lines: string[]) => failureWords(new BuildFailedError(`the build failed: ${lines.at(-1)}`, lines));

test('a failed build tells what the compiler said last', () => {
  const { reason, message } = failed('cc -c a.c', COMPILER, 'exit status 1');
  expect(reason).toBe('BuildFailed');
  expect(message).toMatch(/^the build failed: exit status 1/);
  expect(message.split('\n').slice(-3)).toEqual(['cc -c a.c', COMPILER, 'exit status 1']);
});

test('an instruction of any length, which buildah repeats at the end, does not push the compiler out', () => {
  const repeated = `error building: while running runtime: RUN ${'echo a; '.repeat(5_000)}`;
  const { message } = failed(COMPILER, repeated);
  expect(message).toContain(`\n${COMPILER}\n`);
  expect(message).toContain('Read the last lines of the build log');
  expect(message.length).toBeLessThanOrEqual(1_500); // a condition of the module holds 2,048
});

test('of many lines the newest are kept', () => {
  const said = Array.from({ length: 500 }, (_, number) => `${'.'.repeat(200)} line ${number}`);
  const { message } = failed(...said);
  expect(message.split('\n').slice(-2)).toEqual(said.slice(-2));
  expect(message).not.toContain(' line 0\n');
  expect(message.length).toBeLessThanOrEqual(1_500); // a condition of the module holds 2,048
});
