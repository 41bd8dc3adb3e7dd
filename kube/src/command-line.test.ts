import { UsageError } from '@kmm-hub/api-types';
import { Command, Option } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { integerFlag, leaderElectFlag, parseFlags } from './command-line.ts';

const command = () =>
  new Command('demo')
    .addOption(new Option('--name <name>', 'a name').makeOptionMandatory())
    .addOption(new Option('--port <port>', 'a port').default(8080).argParser(integerFlag(0, 65_535)));

afterEach(() => vi.unstubAllEnvs());

test('flags arrive by their names, with defaults and as numbers', () => {
  expect(parseFlags(command(), ['--name', 'a'])).toEqual({ name: 'a', port: 8080 });
  expect(parseFlags(command(), ['--name', 'a', '--port', '0'])).toEqual({ name: 'a', port: 0 });
});

test('help goes to stdout and is no mistake', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    expect(parseFlags(command(), ['--help'])).toBeUndefined();
    expect(write.mock.calls.join('')).toContain('--port <port>');
  } finally {
    write.mockRestore();
  }
});

test.each([
  ['a flag that is missing', [], "required option '--name <name>' not specified"],
  ['an unknown flag', ['--name', 'a', '--nope'], "unknown option '--nope'"],
  ['a flag without its value', ['--name'], "option '--name <name>' argument missing"],
  ['a word too many', ['--name', 'a', 'b'], 'too many arguments'],
  ['a port that is no number', ['--name', 'a', '--port', '80x'], 'It is a whole number from 0 to 65535'],
  ['a port that is empty', ['--name', 'a', '--port', ''], 'It is a whole number from 0 to 65535'],
  ['a port beyond the last', ['--name', 'a', '--port', '65536'], 'It is a whole number from 0 to 65535'],
])('%s is a UsageError of one line', (_mistake, argv, words) => {
  const parse = () => parseFlags(command(), argv);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(words);
  expect(parse).toThrow(/^[^\n]*[^.\s]$/);
});

test.each<[string, { argv: string[]; variable?: string }, boolean]>([
  ['by itself', { argv: [] }, true],
  ['when it is named', { argv: ['--leader-elect'] }, true],
  ['as Go programs write it', { argv: ['--leader-elect=true'] }, true],
  ['unless it is false', { argv: ['--leader-elect=false'] }, false],
  ['unless the environment says false', { argv: [], variable: 'false' }, false],
  ['when the flag says so and the environment does not', { argv: ['--leader-elect'], variable: 'false' }, true],
])('a leader is elected %s', (_when, { argv, variable }, elected) => {
  if (variable !== undefined) vi.stubEnv('KMM_LEADER_ELECT', variable);
  expect(parseFlags(new Command('demo').addOption(leaderElectFlag()), argv)).toEqual({ leaderElect: elected });
});

test('--leader-elect takes true and false only', () => {
  const parse = () => parseFlags(new Command('demo').addOption(leaderElectFlag()), ['--leader-elect=yes']);
  expect(parse).toThrow('It is true or false');
});
