import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheFolder, childEnvironment, controlPlaneProgram } from './config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['KMM_HUB_CACHE', { KMM_HUB_CACHE: '/big/disk', XDG_CACHE_HOME: '/xdg' }, '/big/disk'],
  ['XDG_CACHE_HOME', { XDG_CACHE_HOME: '/xdg' }, '/xdg/kmm-hub'],
])('the cache folder obeys %s', (_variable, env, want) => {
  expect(cacheFolder(env)).toBe(want);
});

test('a program of the lab does not learn of the user’s clusters', () => {
  const env = { PATH: '/bin', KUBECONFIG: '/home/me/.kube/config', KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  expect(childEnvironment(env)).toEqual({ PATH: '/bin' });
});

test('a program in KUBEBUILDER_ASSETS is used', async () => {
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'assets/etcd'), '');
  const env = { KUBEBUILDER_ASSETS: join(folder, 'assets'), KMM_HUB_CACHE: folder };
  expect(controlPlaneProgram('etcd', env)).toBe(join(folder, 'assets/etcd'));
});

test('a program that is nowhere is named, with what to do', () => {
  const missing = (env: NodeJS.ProcessEnv) => () => controlPlaneProgram('kube-controller-manager', env);
  expect(missing({ KMM_HUB_CACHE: folder })).toThrow(
    expect.objectContaining({
      message: 'kube-controller-manager is not installed',
      remedy: 'Run `npm run setup`, which builds it.',
    }),
  );
  expect(missing({ KMM_HUB_CACHE: folder, KUBEBUILDER_ASSETS: folder })).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('KUBEBUILDER_ASSETS does not hold it') }),
  );
});
