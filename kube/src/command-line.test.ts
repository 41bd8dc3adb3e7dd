import { UsageError } from '@kmm-hub/api-types';
import { Command, Option } from 'commander';
import { expect, test, vi } from 'vitest';
import { integerFlag, parseFlags } from './command-line.ts';

const command = () =>
  new Command('demo')
    .addOption(new Option('--name <name>', 'a name').makeOptionMandatory())
    .addOption(new Option('--port <port>', 'a port').default(8080).argParser(integerFlag(0, 65_535)));

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
