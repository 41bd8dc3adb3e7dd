import type { Modprobe } from '@kmm-hub/api-types';
import { ModprobeOptionRefusedError } from './kmod-errors.ts';

/** What modprobe is asked for; folders, configuration and the kernel are ours to say. */
export type ModprobeCall = {
  options: string[];
  /** Loaded or unloaded in this order. */
  names: string[];
  /** Only of a load. */
  parameters: string[];
};

type Phase = 'load' | 'unload';
type Option = { name: string; value?: string; text: string };

/** Also the names in inTreeModulesToRemove: no path, no glob, no option. */
const MODULE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;
const PARAMETER = /^[A-Za-z0-9_][\w.-]*(=[^\n\r\0]*)?$/;

const LETTERS: Readonly<Record<string, string>> = {
  a: 'all',
  b: 'use-blacklist',
  f: 'force',
  i: 'ignore-install',
  q: 'quiet',
  r: 'remove',
  s: 'syslog',
  v: 'verbose',
  w: 'wait',
  d: 'dirname',
};
const WITH_VALUE = new Set(['wait', 'dirname']);

/** Passed on. */
const ALLOWED: Readonly<Record<Phase, ReadonlySet<string>>> = {
  load: new Set(['force', 'force-vermagic', 'force-modversion']),
  unload: new Set(['force', 'wait', 'remove-holders']),
};
/** Taken and dropped: we set them ourselves, they have no effect without configuration files, or would hide the reason of a failure. */
const DROPPED: Readonly<Record<Phase, ReadonlySet<string>>> = {
  load: new Set(['all', 'verbose', 'quiet', 'syslog', 'use-blacklist', 'ignore-install', 'first-time']),
  unload: new Set(['all', 'remove', 'verbose', 'quiet', 'syslog', 'ignore-install', 'ignore-remove', 'first-time']),
};

/** @throws ModprobeOptionRefusedError for whatever is not on the short list */
export function loadCall(modprobe: Modprobe): ModprobeCall {
  if (modprobe.rawArgs?.load !== undefined) return rawCall(modprobe.rawArgs.load, 'load', modprobe);
  const { moduleName = '', parameters = [], args } = modprobe;
  return {
    // Without --first-time a foreign module of the same name would pass for ours.
    options: ['--first-time', ...onlyOptions(args?.load ?? [], 'load')],
    names: [moduleName].map(checkModuleName),
    parameters: parameters.map(checkParameter),
  };
}

/** As `loadCall`; the whole loading order is unloaded, first to last. */
export function unloadCall(modprobe: Modprobe): ModprobeCall {
  if (modprobe.rawArgs?.unload !== undefined) return rawCall(modprobe.rawArgs.unload, 'unload', modprobe);
  const { moduleName = '', modulesLoadingOrder, args } = modprobe;
  return {
    options: onlyOptions(args?.unload ?? [], 'unload'),
    names: (modulesLoadingOrder ?? [moduleName]).map(checkModuleName),
    parameters: [],
  };
}

/** @throws ModprobeOptionRefusedError for a path, an option or an alias */
export function checkModuleName(name: string): string {
  if (!MODULE_NAME.test(name)) throw new ModprobeOptionRefusedError(name, 'it is not the name of a module');
  return name;
}

function checkParameter(parameter: string): string {
  if (!PARAMETER.test(parameter))
    throw new ModprobeOptionRefusedError(parameter, 'it is not name=value of a parameter');
  return parameter;
}

/** The words after the options: one name and its parameters, or with --all and on unload only names. */
function rawCall(words: readonly string[], phase: Phase, { dirName = '/opt' }: Modprobe): ModprobeCall {
  const { options, others } = parse(words, phase);
  // Upstream's users name the folder where upstream's worker has the files, such as /tmp/opt: our own folder stands for it.
  const ours = ({ name, value = '' }: Option) => name === 'dirname' && value.endsWith(dirName);
  const wanted = options.filter((option) => !ours(option));
  const [first = '', ...rest] = others;
  const namesOnly = phase === 'unload' || options.some(({ name }) => name === 'all');
  return {
    options: passedOn(wanted, phase),
    names: (namesOnly ? others : [first]).map(checkModuleName),
    parameters: namesOnly ? [] : rest.map(checkParameter),
  };
}

function onlyOptions(words: readonly string[], phase: Phase): string[] {
  const { options, others } = parse(words, phase);
  const [other] = others;
  if (other !== undefined) throw new ModprobeOptionRefusedError(other, 'args hold options only');
  return passedOn(options, phase);
}

function passedOn(options: readonly Option[], phase: Phase): string[] {
  return options.flatMap(({ name, value, text }) => {
    if (DROPPED[phase].has(name)) return [];
    if (!ALLOWED[phase].has(name)) throw new ModprobeOptionRefusedError(text, `it is not allowed on ${phase}`);
    if (value === undefined) return [`--${name}`];
    if (!/^\d{1,6}$/.test(value))
      throw new ModprobeOptionRefusedError(text, 'its value is not a number of milliseconds');
    return [`--${name}=${value}`];
  });
}

/** As getopt_long takes them apart, letters in one word and values in the next, but without its abbreviations. */
function parse(words: readonly string[], phase: Phase): { options: Option[]; others: string[] } {
  const [options, others]: [Option[], string[]] = [[], []];
  const pending = [...words];
  for (let word = pending.shift(); word !== undefined; word = pending.shift()) {
    if (word === '--') return { options, others: [...others, ...pending] };
    if (!word.startsWith('-')) others.push(word);
    else if (word.startsWith('--')) options.push(longOption(word, pending));
    else options.push(...letterOptions(word, pending, phase));
  }
  return { options, others };
}

function longOption(word: string, pending: string[]): Option {
  const [name = '', ...values] = word.slice(2).split('=');
  if (values.length > 0) return { name, value: values.join('='), text: word };
  return WITH_VALUE.has(name) ? { name, value: pending.shift() ?? '', text: word } : { name, text: word };
}

function letterOptions(word: string, pending: string[], phase: Phase): Option[] {
  const options: Option[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const name = LETTERS[word[at] ?? ''];
    if (name === undefined) throw new ModprobeOptionRefusedError(word, `it is not allowed on ${phase}`);
    if (WITH_VALUE.has(name)) {
      return [...options, { name, value: word.slice(at + 1) || (pending.shift() ?? ''), text: word }];
    }
    options.push({ name, text: word });
  }
  return options;
}
