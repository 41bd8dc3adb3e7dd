import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HubError, type ModuleConfig, type NodeModuleSpec, type NodeModulesConfig } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { hostTree } from '../features/test/host-tree.ts';
import { imageFolderName, selectionFolderName, selectionOf } from './image-places.ts';
import { Intents } from './intents.ts';
import type { Kmod } from './kmod.ts';
import { modprobeError } from './kmod-errors.ts';
import { type Attempt, type NodeModulesDeps, reconcileNodeModules } from './reconcile.ts';

const RELEASE = '6.1.0-53-amd64';
const { signal } = new AbortController(); // vitest's own limits end what hangs

const config = (digest: string): ModuleConfig => ({
  kernelVersion: RELEASE,
  containerImage: `r/hello@${digest}`,
  insecurePull: false,
  modprobe: { moduleName: 'hello', dirName: '/opt' },
});
const module = (digest = 'sha256:aa'): NodeModuleSpec => ({
  name: 'hello',
  namespace: 'drivers',
  serviceAccountName: 'loader',
  config: config(digest),
});

class RegistryAwayError extends HubError {
  readonly code = 'RegistryUnreachable';
  readonly retry = 'backoff';
  readonly remedy = 'Check the registry.';
}

/** A node whose modprobe changes /proc/modules, with an API server that keeps the status. */
async function world() {
  /** What modprobe says instead of doing its work. */
  const refuse: { load?: string; unload?: string } = {};
  const root = await hostTree({ 'proc/modules': '', 'image/modules/hello.ko': 'K' });
  const calls: string[] = [];
  const setLoaded = (line: string) => writeFile(join(root.path, 'proc/modules'), line);
  const kmod: Kmod = {
    load: async ({ names }) => {
      calls.push(`load ${names}`);
      if (refuse.load !== undefined) throw modprobeError(refuse.load);
      await setLoaded('hello 1 0 - Live 0x0\n');
    },
    unload: async ({ names }) => {
      calls.push(`unload ${names}`);
      if (refuse.unload !== undefined) throw modprobeError(refuse.unload);
      await setLoaded('');
    },
    filesOf: async () => [],
    fieldOf: async () => [],
    index: async () => undefined,
  };
  const nmc: NodeModulesConfig = { metadata: { name: 'node-a' }, spec: { modules: [] }, status: { modules: [] } };
  const client = {
    patch: async (_resource: unknown, { patch }: { patch: { status: NonNullable<NodeModulesConfig['status']> } }) => {
      nmc.status = patch.status;
      calls.push('status');
    },
  } as unknown as KubeClient;
  const registry = { away: false };
  const pull: NodeModulesDeps['pull'] = async ({ module: { imageRepoSecret }, config: wanted }) => {
    calls.push(`pull ${wanted.containerImage}${imageRepoSecret ? ` with ${imageRepoSecret.name}` : ''}`);
    if (registry.away) throw new RegistryAwayError('the registry is away');
    const folder = join(root.path, 'image');
    return { folder, digest: 'sha256:aa', modulesFolder: join(folder, 'modules'), firmwareFolder: undefined };
  };
  const intents = new Intents(join(root.path, 'intents'));
  const node = { nodeName: 'node-a', release: RELEASE, bootId: 'boot-1', log: pino({ level: 'silent' }) };
  const attempts = new Map<string, Attempt>();
  const imagesFolder = join(root.path, 'images');
  const deps: NodeModulesDeps = { client, host: root.host, kmod, intents, attempts, pull, imagesFolder, ...node };
  const due = () => {
    for (const [key, attempt] of attempts) attempts.set(key, { ...attempt, dueAt: 0 });
  };
  return {
    root,
    deps,
    nmc,
    calls,
    registry,
    refuse,
    due,
    setLoaded,
    forgetStatus: () => {
      nmc.status = { modules: [] };
    },
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  };
}

test('a wanted module is pulled, loaded and reported once, and then left alone', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls).toEqual(['pull r/hello@sha256:aa', 'load hello', 'status']);
  expect(at.nmc.status?.modules).toEqual([{ ...module(), bootId: 'boot-1' }]);
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls).toHaveLength(3);
});

test('another image is unloaded first and then loaded', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.calls.length = 0;
  at.nmc.spec = { modules: [module('sha256:bb')] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  const pulls = ['pull r/hello@sha256:aa', 'unload hello', 'pull r/hello@sha256:bb', 'load hello', 'status'];
  expect(at.calls).toEqual(pulls);
  expect(at.nmc.status?.modules?.[0]?.config?.containerImage).toBe('r/hello@sha256:bb');
});

test.each([
  ['its status', (at: Awaited<ReturnType<typeof world>>) => at.deps.intents.remove(module())],
  ['its intent, before its status was written', (at: Awaited<ReturnType<typeof world>>) => at.forgetStatus()],
])('a module of a private registry is unloaded with the pull secret of %s', async (_source, lose) => {
  await using at = await world();
  at.nmc.spec = { modules: [{ ...module(), imageRepoSecret: { name: 'pull' } }] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  await lose(at);
  at.calls.length = 0;
  at.nmc.spec = { modules: [] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls.slice(0, 2)).toEqual(['pull r/hello@sha256:aa with pull', 'unload hello']);
});

test('a module that is no longer wanted is unloaded, and nothing of it stays', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.nmc.spec = { modules: [] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.nmc.status?.modules).toEqual([]);
  expect(await at.deps.intents.list()).toEqual([]);
});

test('a failure is told with its remedy and tried again only when it is due', async () => {
  await using at = await world();
  at.registry.away = true;
  at.nmc.spec = { modules: [module()] };
  const result = await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.nmc.status?.modules?.[0]).toMatchObject({
    name: 'hello',
    error: { reason: 'RegistryUnreachable', message: 'the registry is away. Check the registry.' },
  });
  expect(result?.requeueAfterMs).toBeGreaterThan(0);
  at.calls.length = 0;
  await reconcileNodeModules(at.deps, at.nmc, signal); // the event of our own status write
  expect(at.calls).toEqual([]);
  at.registry.away = false;
  const attempt = at.deps.attempts.get('drivers/hello') as Attempt;
  at.deps.attempts.set('drivers/hello', { ...attempt, dueAt: 0 });
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.nmc.status?.modules).toEqual([{ ...module(), bootId: 'boot-1' }]);
});

test('another configuration is tried at once after a failure', async () => {
  await using at = await world();
  at.registry.away = true;
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.registry.away = false;
  at.nmc.spec = { modules: [module('sha256:bb')] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.nmc.status?.modules?.[0]?.config?.containerImage).toBe('r/hello@sha256:bb');
});

test('an agent that died after the load reports it and does not load twice', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await at.deps.intents.write({ namespace: 'drivers', name: 'hello', config: config('sha256:aa'), bootId: 'boot-1' });
  await at.setLoaded('hello 1 0 - Live 0x0\n');
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls).toEqual(['status']);
  expect(at.nmc.status?.modules).toEqual([{ ...module(), bootId: 'boot-1' }]);
});

test('a node without a NodeModulesConfig unloads what an intent says it loaded', async () => {
  await using at = await world();
  await at.deps.intents.write({ namespace: 'drivers', name: 'hello', config: config('sha256:aa'), bootId: 'boot-1' });
  await at.setLoaded('hello 1 0 - Live 0x0\n');
  await reconcileNodeModules(at.deps, undefined, signal);
  expect(at.calls).toContain('unload hello');
  await rm(join(at.root.path, 'proc/modules'));
});

test('a module of the same name that somebody else loaded is never reported as ours', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await at.setLoaded('hello 1 0 - Live 0x0\n');
  at.refuse.load = "modprobe: ERROR: could not insert 'hello': Module already in kernel.";
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.due();
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.nmc.status?.modules?.[0]?.config).toBeUndefined();
  expect(at.nmc.status?.modules?.[0]?.error?.reason).toBe('ModuleAlreadyLoaded');
  at.nmc.spec = { modules: [] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls).not.toContain('unload hello');
});

test('nothing is loaded over a module that cannot be unloaded, also while that waits to be tried again', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.refuse.unload = 'modprobe: FATAL: Module hello is in use.';
  at.nmc.spec = { modules: [module('sha256:bb')] };
  at.calls.length = 0;
  await reconcileNodeModules(at.deps, at.nmc, signal);
  await reconcileNodeModules(at.deps, at.nmc, signal); // the event of our own status write
  expect(at.calls).not.toContain('load hello');
  expect(at.nmc.status?.modules?.[0]).toMatchObject({ config: config('sha256:aa'), error: { reason: 'ModuleInUse' } });
});

test("a failure that is no longer anybody's is forgotten, and nothing is looked at again for it", async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.refuse.unload = 'modprobe: FATAL: Module hello is in use.';
  at.nmc.spec = { modules: [module('sha256:bb')] };
  await reconcileNodeModules(at.deps, at.nmc, signal);
  at.nmc.spec = { modules: [module()] }; // taken back
  expect(await reconcileNodeModules(at.deps, at.nmc, signal)).toBeUndefined();
  expect(at.nmc.status?.modules).toEqual([{ ...module(), bootId: 'boot-1' }]);
});

test('a full disk of the node reaches the status, and the other modules are loaded', async () => {
  await using at = await world();
  const pull = at.deps.pull;
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  const deps: NodeModulesDeps = {
    ...at.deps,
    pull: async (request, limit) => {
      if (request.config.containerImage.endsWith('bb')) throw full;
      return pull(request, limit);
    },
  };
  at.nmc.spec = { modules: [{ ...module('sha256:bb'), name: 'big' }, module()] };
  await reconcileNodeModules(deps, at.nmc, signal);
  expect(at.nmc.status?.modules).toMatchObject([
    { name: 'big', error: { reason: 'NodeDiskFailed' } },
    { name: 'hello', bootId: 'boot-1' },
  ]);
});

const [DIGEST_A, DIGEST_B] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;

/** The same node, whose pulls leave a folder in the images folder; and what is in there. */
function keepingImages({ deps }: Awaited<ReturnType<typeof world>>) {
  const pull: NodeModulesDeps['pull'] = async (request, limit) => {
    const files = await deps.pull(request, limit);
    const image = imageFolderName(request.config.containerImage.split('@')[1] ?? '');
    const selection = selectionFolderName(selectionOf(request.config, RELEASE));
    await mkdir(join(deps.imagesFolder, image, selection, 'files'), { recursive: true });
    return files;
  };
  const kept = async () => (await readdir(deps.imagesFolder)).filter((name) => name.startsWith('sha256-')).sort();
  return { deps: { ...deps, pull }, kept };
}

test('the image of before stays on the disk until the new one is loaded, the last one until it is unloaded', async () => {
  await using at = await world();
  const { deps, kept } = keepingImages(at);
  const pass = async (...modules: NodeModuleSpec[]) => {
    at.nmc.spec = { modules };
    at.due();
    await reconcileNodeModules(deps, at.nmc, signal);
    return kept();
  };
  const [FOLDER_A, FOLDER_B] = [imageFolderName(DIGEST_A), imageFolderName(DIGEST_B)];
  expect(await pass(module(DIGEST_A))).toEqual([FOLDER_A]);
  at.refuse.load = 'modprobe: ERROR: could not insert: Key was rejected by service';
  expect(await pass(module(DIGEST_B))).toEqual([FOLDER_A, FOLDER_B]);
  delete at.refuse.load;
  expect(await pass(module(DIGEST_B))).toEqual([FOLDER_B]);
  at.refuse.unload = 'modprobe: FATAL: Module hello is in use.';
  expect(await pass()).toEqual([FOLDER_B]);
  delete at.refuse.unload;
  expect(await pass()).toEqual([]);
});

test('images that cannot be removed hold up no module', async () => {
  await using at = await world();
  const deps = { ...at.deps, imagesFolder: join(at.root.path, 'proc/modules') }; // a file
  at.nmc.spec = { modules: [module()] };
  expect(await reconcileNodeModules(deps, at.nmc, signal)).toBeUndefined();
  expect(at.nmc.status?.modules).toEqual([{ ...module(), bootId: 'boot-1' }]);
});

test.each([
  ['during modprobe leaves its intent, since that may still end well', 'load', 1],
  ['before modprobe leaves none, since what the kernel has may be somebody else’s', 'index', 0],
] as const)('an agent that is stopped %s', async (_rule, call, left) => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  const stop = new AbortController();
  const stopped = async () => {
    stop.abort(new Error('the agent stops'));
    throw stop.signal.reason;
  };
  const deps = { ...at.deps, kmod: { ...at.deps.kmod, [call]: stopped } };
  await expect(reconcileNodeModules(deps, at.nmc, stop.signal)).rejects.toThrow('the agent stops');
  expect(await at.deps.intents.list()).toHaveLength(left);
});

test('a module of the name that is not ours is told, and neither loaded over nor taken for ours', async () => {
  await using at = await world();
  at.nmc.spec = { modules: [module()] };
  await at.setLoaded('hello 1 0 - Live 0x0\n');
  await reconcileNodeModules(at.deps, at.nmc, signal);
  expect(at.calls).toEqual(['pull r/hello@sha256:aa', 'status']);
  expect(at.nmc.status?.modules?.[0]?.error).toMatchObject({
    reason: 'ModuleAlreadyLoaded',
    message: expect.stringContaining('inTreeModulesToRemove'),
  });
  expect(await at.deps.intents.list()).toEqual([]);
});
