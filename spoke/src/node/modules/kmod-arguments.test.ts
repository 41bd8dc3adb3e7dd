import type { Modprobe } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { loadCall, type ModprobeCall, unloadCall } from './kmod-arguments.ts';

const named = { moduleName: 'hello' };
const load = (...words: string[]): Modprobe => ({ ...named, args: { load: words } });
const unload = (...words: string[]): Modprobe => ({ ...named, args: { unload: words } });
const raw = (...words: string[]): Modprobe => ({ rawArgs: { load: words, unload: words } });

test.each<[string, Modprobe, ModprobeCall]>([
  [
    'one module and its parameters',
    { ...named, parameters: ['debug=1', 'name=a b', 'quiet', 'path=/lib/x'] },
    { options: ['--first-time'], names: ['hello'], parameters: ['debug=1', 'name=a b', 'quiet', 'path=/lib/x'] },
  ],
  [
    'options in front of the name',
    load('-f', '--force-vermagic'),
    { options: ['--first-time', '--force', '--force-vermagic'], names: ['hello'], parameters: [] },
  ],
  [
    'no option that we set ourselves',
    load('-v', '-vq', '--first-time', '-b', '-i'),
    { options: ['--first-time'], names: ['hello'], parameters: [] },
  ],
  [
    'raw arguments and nothing else',
    { ...raw('-v', 'world', 'a=1'), parameters: ['b=2'] },
    { options: [], names: ['world'], parameters: ['a=1'] },
  ],
  ['all names of raw arguments with --all', raw('-a', 'x', 'y'), { options: [], names: ['x', 'y'], parameters: [] }],
  [
    "raw arguments with the folder of upstream's worker",
    raw('-vd', '/tmp/opt', 'x'),
    { options: [], names: ['x'], parameters: [] },
  ],
  ['the same as one word', raw('--dirname=/opt', 'x'), { options: [], names: ['x'], parameters: [] }],
  ['a word behind the end of options', raw('--', 'x', 'a=-C'), { options: [], names: ['x'], parameters: ['a=-C'] }],
])('loads %s', (_behaviour, modprobe, want) => {
  expect(loadCall(modprobe)).toEqual(want);
});

test.each<[string, Modprobe, ModprobeCall]>([
  [
    'one module, without parameters',
    { ...named, parameters: ['a=1'] },
    { options: [], names: ['hello'], parameters: [] },
  ],
  [
    'the whole order, first to last',
    { ...named, modulesLoadingOrder: ['hello', 'b', 'c'] },
    { options: [], names: ['hello', 'b', 'c'], parameters: [] },
  ],
  ['with a wait in milliseconds', unload('-w', '500'), { options: ['--wait=500'], names: ['hello'], parameters: [] }],
  [
    'with a wait in one word',
    unload('-rw500', '--remove-holders'),
    { options: ['--wait=500', '--remove-holders'], names: ['hello'], parameters: [] },
  ],
  ['all names of raw arguments', raw('-r', 'x', 'y'), { options: [], names: ['x', 'y'], parameters: [] }],
])('unloads %s', (_behaviour, modprobe, want) => {
  expect(unloadCall(modprobe)).toEqual(want);
});

test.each([
  ['-C'],
  ['-C/tmp/x'],
  ['--config=/tmp/x'],
  ['--conf=/tmp/x'],
  ['-vC', '/tmp/x'],
  ['-d', '/etc'],
  ['--dirname=/tmp/opt'],
  ['-S', '5.4.0'],
  ['--set-version=5.4.0'],
  ['--dir=/opt'],
  ['-n'],
  ['-D'],
  ['-c'],
  ['-r'],
  ['-w', '5'],
  ['--remove-holders'],
  ['other_module'],
  ['/tmp/evil.ko'],
])('refuses %j as arguments of a load and names the first', (...words) => {
  expect(() => loadCall(load(...words))).toThrow(JSON.stringify(words[0]));
});

test.each([
  [['-d', '/etc', 'x'], '-d'],
  [['--dirname', '/etc', 'x'], '--dirname'],
  [['-C', '/x', 'x'], '-C'],
  [['./evil.ko'], './evil.ko'],
  [['/opt/evil.ko'], '/opt/evil.ko'],
  [['x', 'a=1', '--config=/x'], '--config=/x'],
  [['x', 'install /bin/sh'], 'install /bin/sh'],
  [['--', '-C'], '-C'],
  [[''], ''],
])('refuses raw arguments %j and names %j', (words, named) => {
  expect(() => loadCall(raw(...words))).toThrow(JSON.stringify(named));
});

test.each([
  ['a path as module name', { moduleName: '../x' }],
  ['an option as module name', { moduleName: '-C' }],
  ['no module name', {}],
  ['an option as parameter', { ...named, parameters: ['-C/tmp'] }],
  ['a parameter of two lines', { ...named, parameters: ['a=1\nb'] }],
])('refuses %s', (_behaviour, modprobe) => {
  expect(() => loadCall(modprobe)).toThrow(expect.objectContaining({ code: 'ModprobeOptionRefused', retry: 'never' }));
});

test.each([[['-w', 'x']], [['--wait=1e9']], [['--wait']], [['--force-vermagic']]])('refuses %j on unload', (words) => {
  expect(() => unloadCall(unload(...words))).toThrow(expect.objectContaining({ code: 'ModprobeOptionRefused' }));
});
