import { execFile } from 'node:child_process';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ModuleConfig } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { hostTree, type Tree } from '../features/test/host-tree.ts';
import { createKmod, type Kmod } from './kmod.ts';
import { modprobeError } from './kmod-errors.ts';
import { loadModule, unloadModule } from './load.ts';
import { moduleFile } from './test/module-file.ts';

const RELEASE = '6.1.0-53-amd64';
const CONFIG: ModuleConfig = {
  kernelVersion: RELEASE,
  containerImage: 'registry.example/hello@sha256:aa',
  insecurePull: false,
  modprobe: { moduleName: 'hello-mod', dirName: '/opt' },
};
const NODE = {
  'proc/modules': '',
  'sys/module/firmware_class/parameters/path': '\n',
  'image/modules/hello-mod.ko': '',
  'image/firmware/hello.bin': 'F',
};

/** A node whose modprobe changes /proc/modules and writes down what it saw; `refuse` makes loads fail with these words. */
async function node(tree: Tree = {}, { refuse, loads = 'hello_mod' }: { refuse?: string; loads?: string } = {}) {
  const root = await hostTree({ ...NODE, ...tree });
  const calls: string[] = [];
  const firmware = () => readdir(join(root.path, 'var/lib/firmware')).catch(() => ['absent']);
  const kmod: Kmod = {
    load: async ({ names, parameters }, { root: folder }) => {
      const place = folder.startsWith(join(root.path, 'image')) ? 'image' : 'host';
      calls.push(`load ${[...names, ...parameters]} from ${place}, firmware ${await firmware()}`);
      if (refuse !== undefined) throw modprobeError(refuse);
      await writeFile(join(root.path, 'proc/modules'), loads === '' ? '' : `${loads} 1 0 - Live 0x0\n`);
    },
    unload: async ({ names }, { root: folder }) => {
      calls.push(`unload ${names} from ${folder === root.path ? 'host' : 'image'}, firmware ${await firmware()}`);
      if (refuse !== undefined) throw modprobeError(refuse);
    },
    filesOf: async () => [],
    fieldOf: async () => [],
    index: async () => undefined,
  };
  const folder = join(root.path, 'image');
  const files = {
    folder,
    digest: 'sha256:aa',
    modulesFolder: join(folder, 'modules'),
    firmwareFolder: join(folder, 'firmware'),
  };
  const request = {
    config: CONFIG,
    files,
    release: RELEASE,
    host: root.host,
    kmod,
    signal: AbortSignal.timeout(60_000),
  };
  return { host: root.host, request, calls, [Symbol.asyncDispose]: () => root[Symbol.asyncDispose]() };
}

test("loads in upstream's order: in-tree out, firmware in, modprobe", async () => {
  await using at = await node({ 'proc/modules': 'old_driver 1 0 - Live 0x0\n' });
  const config = { ...CONFIG, inTreeModulesToRemove: ['old-driver', 'not_loaded'] };
  expect(await loadModule({ ...at.request, config })).toEqual({ removed: ['old-driver'], builtIn: [] });
  expect(at.calls).toEqual([
    'unload old-driver from host, firmware absent',
    'load hello-mod from image, firmware hello.bin',
  ]);
  expect(await at.host.read('sys/module/firmware_class/parameters/path')).toBe('/var/lib/firmware');
});

test('W35 names in-tree modules that are built in and goes on', async () => {
  await using at = await node({ [`lib/modules/${RELEASE}/modules.builtin`]: 'kernel/drivers/old-driver.ko\n' });
  const config = { ...CONFIG, inTreeModuleToRemove: 'old_driver' };
  expect(await loadModule({ ...at.request, config })).toEqual({ removed: [], builtIn: ['old_driver'] });
});

test('takes firmware away after the module, and keeps it when the module stays', async () => {
  await using at = await node({ 'var/lib/firmware/hello.bin': 'F' });
  await unloadModule(at.request);
  expect(at.calls).toEqual(['unload hello-mod from image, firmware hello.bin']);
  expect(await at.host.list('var/lib/firmware')).toEqual([]);

  await using busy = await node(
    { 'var/lib/firmware/hello.bin': 'F' },
    { refuse: 'modprobe: FATAL: Module hello_mod is in use.' },
  );
  await expect(unloadModule(busy.request)).rejects.toMatchObject({ code: 'ModuleInUse' });
  expect(await busy.host.list('var/lib/firmware')).toEqual(['hello.bin']);
});

test('changes nothing when an argument is refused', async () => {
  await using at = await node({ 'proc/modules': 'old_driver 1 0 - Live 0x0\n' });
  const modprobe = { ...CONFIG.modprobe, args: { load: ['-C', '/tmp/x'] } };
  const config = { ...CONFIG, modprobe, inTreeModulesToRemove: ['old_driver'] };
  await expect(loadModule({ ...at.request, config })).rejects.toMatchObject({ code: 'ModprobeOptionRefused' });
  expect(at.calls).toEqual([]);
  expect(await at.host.read('sys/module/firmware_class/parameters/path')).toBe('\n');
});

test('does not believe modprobe when the kernel does not list the module', async () => {
  await using at = await node({}, { loads: '' });
  await expect(loadModule(at.request)).rejects.toMatchObject({ code: 'ModuleNotLoaded' });
});

test.each([
  ['lockdown', 'Lockdown: modprobe: unsigned module loading is restricted', 'ModuleSignatureRejected'],
  ['anything else', 'eth0: link up', 'ModuleNotPermitted'],
])("asks the kernel's log whether an EPERM is of %s", async (_cause, line, code) => {
  const record = `5,1,${process.hrtime.bigint() / 1000n},-;${line}\n`;
  await using at = await node(
    { 'dev/kmsg': record },
    { refuse: "could not insert 'hello_mod': Operation not permitted" },
  );
  await expect(loadModule(at.request)).rejects.toMatchObject({ code });
});

test("adds the kernel's words to modprobe's", async () => {
  const record = `4,1,${process.hrtime.bigint() / 1000n},-;hello_mod: Unknown symbol foo (err -2)\n`;
  await using at = await node(
    { 'dev/kmsg': record },
    { refuse: "could not insert 'hello_mod': Unknown symbol in module" },
  );
  await expect(loadModule(at.request)).rejects.toMatchObject({
    code: 'ModuleUnknownSymbol',
    message: "could not insert 'hello_mod': Unknown symbol in module; kernel: hello_mod: Unknown symbol foo (err -2)",
  });
});

/** A program that leaves a file beside itself wherever it is run. */
const TRAP = '#!/bin/sh\n: > "$0.ran"\n';

test('runs no program of the image: its modprobe and depmod are files like any other', async () => {
  const folders = ['', 'modules/', 'bin/', 'sbin/', 'usr/bin/', 'usr/sbin/'].map((folder) => `image/${folder}`);
  const traps = ['modprobe', 'depmod', 'modinfo', 'sh'].flatMap((tool) => folders.map((folder) => `${folder}${tool}`));
  const own = {
    'own/modprobe': '#!/bin/sh\necho "hello_mod 1 0 - Live 0x0" > "${0%/own/*}/proc/modules"\n',
    'own/depmod': '#!/bin/sh\n: > "${0%/own/*}/indexed"\n',
  };
  await using at = await node({
    ...Object.fromEntries(traps.map((path) => [path, TRAP])),
    ...own,
    'image/modules/hello-mod.ko': moduleFile({ name: 'hello_mod' }),
  });
  const root = at.host.path;
  for (const path of [...traps, ...Object.keys(own)]) await chmod(join(root, path), 0o755);
  const kmod = createKmod({ path: `${root}/own:/usr/sbin:/usr/bin:/sbin:/bin` });
  await loadModule({ ...at.request, kmod });
  await unloadModule({ ...at.request, kmod });
  const ran = async () => (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.ran'));
  expect(await at.host.exists('indexed')).toBe(true);
  expect(await ran()).toEqual([]);
  await promisify(execFile)(join(root, 'image/modules/modprobe')); // the traps do work
  expect(await ran()).toContain('image/modules/modprobe.ran');
});
