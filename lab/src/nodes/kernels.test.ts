import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KernelNotFoundError } from './errors.ts';
import { type Kernel, newestKernel } from './kernels.ts';

const HOUR_MS = 60 * 60 * 1000;
const series = '6.1';
const release = '6.1.0-9-cloud-amd64';
const answer = { package: `linux-image-${release}`, packageVersion: '6.1.27-1' };
const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
const { signal } = new AbortController(); // vitest's own limits end what hangs
let cacheFolder: string;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'kmm-kernels-'));
});
afterEach(() => rm(cacheFolder, { recursive: true }));

async function rememberAnswer(ageMs: number) {
  const folder = join(cacheFolder, 'kernels', `${answer.package}_${answer.packageVersion}`);
  await mkdir(folder, { recursive: true });
  const file = join(cacheFolder, 'kernels', `newest-${series}-cloud-${architecture}.json`);
  await writeFile(file, JSON.stringify({ ...answer, foundAtMs: Date.now() - ageMs }));
  return folder;
}

function kernelIn(root: string): Kernel {
  const vmlinuz = join(root, 'boot', `vmlinuz-${release}`);
  return { ...answer, release, root, vmlinuz, modulesDir: join(root, 'lib/modules', release) };
}

const offline = async () => {
  throw new KernelNotFoundError('no network');
};

test('an answer of today is not looked up again', async () => {
  const root = await rememberAnswer(HOUR_MS);
  expect(await newestKernel({ series, cacheFolder, signal }, offline)).toEqual(kernelIn(root));
});

test('an answer of yesterday gives way to a newer kernel, which is remembered', async () => {
  await rememberAnswer(25 * HOUR_MS);
  const newer = { ...kernelIn('newer'), packageVersion: '6.1.28-1' };
  expect(await newestKernel({ series, cacheFolder, signal }, async () => newer)).toEqual(newer);
  const file = join(cacheFolder, 'kernels', `newest-${series}-cloud-${architecture}.json`);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ packageVersion: '6.1.28-1' });
});

test('an answer of yesterday does when nothing can be looked up, and says so', async () => {
  const root = await rememberAnswer(25 * HOUR_MS);
  const said: string[] = [];
  const options = { series, cacheFolder, signal, progress: (line: string) => said.push(line) };
  expect(await newestKernel(options, offline)).toEqual(kernelIn(root));
  expect(said).toEqual([expect.stringContaining('from the cache')]);
});

test('an answer whose kernel left the cache is worth nothing', async () => {
  await rm(await rememberAnswer(HOUR_MS), { recursive: true });
  await expect(newestKernel({ series, cacheFolder, signal }, offline)).rejects.toThrow(KernelNotFoundError);
});
