import { mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Modprobe } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { hostTree, type Tree } from '../features/test/host-tree.ts';
import { createKmod } from './kmod.ts';
import { layOutModuleTree } from './kmod-tree.ts';
import { type ModuleFacts, moduleFile } from './test/module-file.ts';

// The tools are the real ones (package kmod); the kernel is not asked to load anything.
const RELEASE = '6.1.0-53-amd64+';
const HOST_MODULES = `lib/modules/${RELEASE}`;
const IMAGE_MODULES = 'state/files/opt/lib/modules/6.1.0-53-amd64';
const { signal } = new AbortController(); // vitest's own limits end what hangs
const kmod = createKmod();

const at = (folder: string, path: string, facts: ModuleFacts): Tree => ({ [`${folder}/${path}`]: moduleFile(facts) });

/** An in-tree stack: crc ← pool ← hub, next to modules that nobody here needs. */
const IN_TREE = {
  ...at(HOST_MODULES, 'kernel/lib/crc.ko', { name: 'crc', exports: ['crc_do'] }),
  ...at(HOST_MODULES, 'kernel/drivers/pool.ko', {
    name: 'pool',
    exports: ['pool_get'],
    needs: ['crc_do'],
    info: ['depends=crc'],
  }),
  ...at(HOST_MODULES, 'updates/dkms/side.ko', { name: 'side', exports: ['side_do'] }),
  ...at(HOST_MODULES, 'kernel/sound/noise.ko', { name: 'noise' }),
  ...at(HOST_MODULES, 'kernel/net/same.ko', { name: 'same' }),
  [`${HOST_MODULES}/modules.order`]: 'kernel/lib/crc.ko\n',
  [`${HOST_MODULES}/modules.builtin`]: 'kernel/fs/builtin.ko\n',
  [`${HOST_MODULES}/modules.builtin.modinfo`]: '',
};

async function layOut(image: Tree, modprobe: Modprobe) {
  await using stack = new AsyncDisposableStack();
  const root = stack.use(await hostTree({ ...IN_TREE, ...image }));
  const none = join(root.path, 'none');
  await mkdir(none);
  await kmod.index({ root: root.path, release: RELEASE, configFolder: none }, signal);
  const files = {
    folder: join(root.path, 'state'),
    digest: `sha256:${'a'.repeat(64)}`,
    modulesFolder: join(root.path, IMAGE_MODULES),
    firmwareFolder: undefined,
  };
  const request = { files, modprobe, release: RELEASE, host: root.host, kmod };
  const tree = await layOutModuleTree(request, signal);
  const modules = join(tree.root, 'lib/modules', RELEASE);
  const kept = stack.move(); // laid out: from here on the test disposes of it
  const shorten = (file: string) => file.replace(`${modules}/`, '');
  return {
    request,
    tree,
    modules,
    inTree: async () =>
      (await readdir(join(modules, 'in-tree'), { recursive: true })).filter((name) => name.endsWith('.ko')).sort(),
    insertions: async (...names: string[]) => (await kmod.filesOf(names, tree, signal)).map(shorten),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const DRIVER = at(IMAGE_MODULES, 'extra/driver.ko', {
  name: 'driver',
  needs: ['pool_get', 'own_do'],
  info: ['depends=pool,own'],
});
const OWN = at(IMAGE_MODULES, 'own.ko', { name: 'own', exports: ['own_do'] });

test('loads in-tree modules that the image needs, and what those need, before its own', async () => {
  await using laid = await layOut({ ...DRIVER, ...OWN }, { moduleName: 'driver' });
  expect(await laid.insertions('driver')).toEqual([
    'in-tree/kernel/lib/crc.ko',
    'in-tree/kernel/drivers/pool.ko',
    'updates/own.ko',
    'updates/extra/driver.ko',
  ]);
});

test('links only the in-tree modules that are needed, wherever they lie', async () => {
  const image = at(IMAGE_MODULES, 'driver.ko', {
    name: 'driver',
    needs: ['side_do'],
    info: ['depends=side', 'softdep=pre: crc post: builtin'],
  });
  await using laid = await layOut(image, { moduleName: 'driver' });
  expect(await laid.inTree()).toEqual(['kernel/lib/crc.ko', 'updates/dkms/side.ko']);
  expect(await readlink(join(laid.modules, 'in-tree/kernel/lib/crc.ko'))).toMatch(
    new RegExp(`/${HOST_MODULES.replace('+', '\\+')}/kernel/lib/crc.ko$`),
  );
});

test('prefers the module of the image to the in-tree one of the same name', async () => {
  const image = {
    ...at(IMAGE_MODULES, 'same.ko', { name: 'same', exports: ['same_do'] }),
    ...at(IMAGE_MODULES, 'driver.ko', { name: 'driver', needs: ['same_do'], info: ['depends=same'] }),
  };
  await using laid = await layOut(image, { moduleName: 'driver' });
  expect(await laid.insertions('driver')).toEqual(['updates/same.ko', 'updates/driver.ko']);
});

test('takes a dash for an underscore in what modules need', async () => {
  const image = {
    ...at(IMAGE_MODULES, 'my-core.ko', { name: 'my_core', exports: ['core_do'] }),
    ...at(IMAGE_MODULES, 'driver.ko', { name: 'driver', needs: ['core_do'], info: ['depends=my_core'] }),
  };
  await using laid = await layOut(image, { moduleName: 'driver' });
  expect(await laid.insertions('driver')).toEqual(['updates/my-core.ko', 'updates/driver.ko']);
});

test('loads by the order of the Module where the modules do not say it themselves', async () => {
  const image = Object.assign({}, ...['a', 'b', 'c'].map((name) => at(IMAGE_MODULES, `${name}.ko`, { name })));
  await using laid = await layOut(image, { moduleName: 'a', modulesLoadingOrder: ['a', 'b', 'c'] });
  expect(await laid.insertions('a')).toEqual(['updates/c.ko', 'updates/b.ko', 'updates/a.ko']);
});

test('lays out anew over an earlier tree', async () => {
  await using laid = await layOut({ ...DRIVER, ...OWN }, { moduleName: 'driver' });
  expect(await layOutModuleTree({ ...laid.request, modprobe: {} }, signal)).toEqual(laid.tree);
  expect(await readFile(join(laid.modules, 'modules.dep'), 'utf8')).toContain('updates/extra/driver.ko: ');
});

test('refuses a loading order that would write another line into the configuration', async () => {
  const order = { moduleName: 'a', modulesLoadingOrder: ['a', 'b\ninstall a /bin/sh'] };
  await expect(layOut(OWN, order)).rejects.toMatchObject({ code: 'ModprobeOptionRefused' });
});

test('says what is wrong with a file that is no module', async () => {
  const image = { [`${IMAGE_MODULES}/broken.ko`]: 'not an ELF file' };
  await expect(layOut(image, { moduleName: 'broken' })).rejects.toMatchObject({ code: 'DepmodFailed' });
});
