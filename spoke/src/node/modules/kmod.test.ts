import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingToolError } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { createKmod } from './kmod.ts';

const tree = { root: '/r', release: '6.1.0', configFolder: '/c' };
const call = { options: ['--force'], names: ['hello'], parameters: ['greeting=hi there'] };
const soon = () => AbortSignal.timeout(60_000);

/** A kmod whose modprobe is this shell script, and what the script wrote to the file `said`. */
async function scripted(script: string, options: { timeoutMs?: number } = {}) {
  const root = await hostTree({ modprobe: `#!/bin/sh\nsaid=${'$'}(dirname "${'$'}0")/said\n${script}\n` });
  await chmod(join(root.path, 'modprobe'), 0o755);
  return {
    kmod: createKmod({ path: `${root.path}:/usr/bin:/bin`, ...options }),
    said: async () => (await readFile(join(root.path, 'said'), 'utf8')).split('\n').slice(0, -1),
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  };
}

test('hands names and parameters over behind the end of the options', async () => {
  await using tool = await scripted('printf "%s\\n" "$@" > "$said"');
  await tool.kmod.load(call, tree, soon());
  const ours = ['--dirname=/r', '--set-version=6.1.0', '--config=/c'];
  expect(await tool.said()).toEqual(['--verbose', ...ours, '--force', '--', 'hello', 'greeting=hi there']);
  await tool.kmod.unload({ ...call, names: ['a', 'b'] }, tree, soon());
  expect(await tool.said()).toEqual(['--remove', '--verbose', ...ours, '--force', '--', 'a', 'b']);
});

test('hides our environment from the tools', async () => {
  await using tool = await scripted('env | cut -d= -f1 | grep -v -e ^PWD$ -e ^SHLVL$ -e ^_$ | sort > "$said"');
  await tool.kmod.load(call, tree, soon());
  expect(await tool.said()).toEqual(['LC_ALL', 'PATH']);
});

test.each([
  ["ERROR: could not insert 'hello': Key was rejected by service", 'ModuleSignatureRejected', 'never'],
  ["ERROR: could not insert 'hello': Required key not available", 'ModuleSignatureRejected', 'never'],
  ["ERROR: could not insert 'hello': Operation not permitted", 'ModuleSignatureRejected', 'never'],
  ["ERROR: could not remove 'hello': Operation not permitted", 'ModuleNotPermitted', 'never'],
  [
    "ERROR: could not insert 'hello': Unknown symbol in module, or unknown parameter (see dmesg)",
    'ModuleUnknownSymbol',
    'never',
  ],
  ["ERROR: could not insert 'hello': Exec format error", 'ModuleFormatRefused', 'never'],
  ["ERROR: could not insert 'hello': Module already in kernel", 'ModuleAlreadyLoaded', 'never'],
  ["ERROR: could not insert 'hello': File exists", 'ModuleAlreadyLoaded', 'never'],
  ['FATAL: Module hello is builtin.', 'ModuleAlreadyLoaded', 'never'],
  ['FATAL: Module hello is in use.', 'ModuleInUse', 'backoff'],
  ['FATAL: Module hello not found in directory /r/lib/modules/6.1.0', 'ModuleNotFound', 'never'],
  ["ERROR: could not insert 'hello': No such device", 'ModprobeFailed', 'backoff'],
])('tells what "%s" means and repeats it', async (words, code, retry) => {
  await using tool = await scripted(`echo "modprobe: ${words}" >&2; exit 1`);
  await expect(tool.kmod.load(call, tree, soon())).rejects.toMatchObject({
    code,
    retry,
    message: `modprobe: ${words}`,
  });
});

test('gives up on a tool that does not end', async () => {
  await using tool = await scripted('exec sleep 60', { timeoutMs: 100 });
  const loading = tool.kmod.load(call, tree, soon());
  await expect(loading).rejects.toMatchObject({
    code: 'ModprobeTimeout',
    message: 'modprobe did not end within 100 ms',
  });
});

test('ends with the reason of its signal while the tool still runs', async () => {
  await using tool = await scripted('exec sleep 60');
  const stop = new AbortController();
  const loading = tool.kmod.load(call, tree, stop.signal);
  stop.abort(new Error('the agent stops'));
  await expect(loading).rejects.toThrow('the agent stops');
});

test('names a tool that is not installed', async () => {
  await using root = await hostTree({});
  const kmod = createKmod({ path: root.path });
  await expect(kmod.load(call, tree, soon())).rejects.toBeInstanceOf(MissingToolError);
});
