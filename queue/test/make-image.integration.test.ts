import { join } from 'node:path';
import { configMap, HUB_NAMESPACE, type ModuleImageSpec } from '@kmm-hub/api-types';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ImageJob } from '../src/client/image-job.ts';
import type { ImageResult } from '../src/client/index.ts';
import type { BuildRequest, BuildResult, Executor } from '../src/executors/executor.ts';
import { processImage } from '../src/worker/process-image.ts';
import { RegistryHealth } from '../src/worker/registry-health.ts';
import { pushFiles, writeLayout } from './build-fixture.ts';
import {
  recipeFor,
  removeImage,
  signal,
  startWorkerWorld,
  type WorkerWorld,
  wantImage,
  writeDockerfile,
  writeSecret,
  writeSigningPair,
} from './worker-world.ts';

// One job on a real API server, under the worker's role, and a real registry. Only the building is left out.

const DOCKERFILE = 'FROM scratch';
const OTHER_KEY = 'b'.repeat(64);

/** Builds an image of one file, and another one each time. */
class PaperExecutor implements Executor {
  readonly asked: BuildRequest[] = [];
  /** What happens while it builds. */
  meanwhile: () => Promise<void> = async () => undefined;

  async build(request: BuildRequest): Promise<BuildResult> {
    this.asked.push(request);
    const layoutFolder = join(request.workFolder, 'layout');
    await writeLayout(layoutFolder, [{ path: 'built', content: Buffer.from(String(this.asked.length)) }]);
    await this.meanwhile();
    return { layoutFolder, baseImages: {}, memoryLimit: 'none' };
  }
}

describe('a job', () => {
  let world: WorkerWorld;
  let executor: PaperExecutor;
  let count = 0;
  let name: string;
  let recipe: ModuleImageSpec;

  beforeAll(async () => {
    world = await startWorkerWorld();
    await writeSigningPair(world);
  });
  afterAll(() => world?.stop());
  beforeEach(async () => {
    count += 1;
    name = `kmod-${count}`;
    executor = new PaperExecutor();
    recipe = await recipeFor(world, name, DOCKERFILE);
  });

  function run(job: ImageJob): Promise<ImageResult> {
    const { client, workFolder } = world;
    const place = { namespace: HUB_NAMESPACE, workFolder, buildTimeoutMs: 60_000 };
    const deps = { client, executor, registries: new RegistryHealth(), log: pino({ level: 'silent' }), ...place };
    const progress = { step: async () => undefined, line: () => undefined };
    return processImage(deps, { job, progress }, signal);
  }
  const make = async (spec: Partial<ModuleImageSpec> = {}) =>
    run(await wantImage(world.admin, name, { ...recipe, ...spec }));
  const digestAtTag = async () => (await world.pusher.resolve(recipe.image, signal))?.digest;
  const pushForeign = () =>
    pushFiles(world.pusher, recipe.image, [{ path: 'theirs', content: Buffer.from('not the hub’s') }]);

  type Scene = { at: 'ours' | 'foreign'; change?: Partial<ModuleImageSpec>; wanted: Partial<ImageResult> };
  const onChange = { rebuildPolicy: 'OnInputChange' } as const;
  const taken = { outcome: 'Published', origin: 'Taken', built: false } as const;
  const foreign = { outcome: 'Failed', reason: 'ForeignImage', retry: 'never' } as const;
  const ofOthers = { outcome: 'Failed', reason: 'ImageOfOtherNodes', retry: 'backoff' } as const;

  test.each<[string, Scene]>([
    ['of ours with the same inputs is taken', { at: 'ours', change: onChange, wanted: taken }],
    ['of ours with other inputs is taken by default', { at: 'ours', change: { recipeKey: OTHER_KEY }, wanted: taken }],
    ['of somebody else is taken by default', { at: 'foreign', wanted: taken }],
    ['of somebody else is never replaced', { at: 'foreign', change: onChange, wanted: foreign }],
    [
      'of ours for another kernel is neither taken nor replaced',
      { at: 'ours', change: { kernelVersion: '6.1.0-54-amd64' }, wanted: ofOthers },
    ],
    [
      'of ours for another architecture is neither taken nor replaced',
      { at: 'ours', change: { architecture: 'arm64' }, wanted: ofOthers },
    ],
  ])('that finds an image at the tag: one %s', async (_rule, { at, change, wanted }) => {
    if (at === 'ours') expect(await make()).toMatchObject({ outcome: 'Published', origin: 'Made' });
    else await pushForeign();
    const before = await digestAtTag();
    const builds = executor.asked.length;
    expect(await make(change)).toMatchObject(wanted);
    expect(await digestAtTag()).toBe(before);
    expect(executor.asked.length).toBe(builds);
  });

  test('that finds an image of ours with other inputs replaces it when the module asks for that', async () => {
    await make();
    const before = await digestAtTag();
    const result = await make({ ...onChange, recipeKey: OTHER_KEY });
    expect(result).toMatchObject({ outcome: 'Published', origin: 'Made', built: true, recipeKey: OTHER_KEY });
    expect(await digestAtTag()).not.toBe(before);
    expect(result).toMatchObject({ digest: await digestAtTag() });
  });

  test('whose answer was lost is answered the same again, from the image', async () => {
    const sign = { keySecret: 'signing-key', certSecret: 'signing-cert', filesToSign: ['/built'] };
    const job = await wantImage(world.admin, name, { ...recipe, sign });
    const lost = await run(job);
    expect(lost).toMatchObject({ origin: 'Made', built: true, signedFiles: [{ path: '/built' }] });
    expect(await run(job)).toEqual({ ...lost, origin: 'Recovered' });
    expect(executor.asked).toHaveLength(1);
  });

  test('whose signing key is no key builds nothing', async () => {
    await writeSecret(world.admin, `${name}-key`, { key: 'no key' });
    await writeSecret(world.admin, `${name}-cert`, { cert: 'no certificate' });
    const sign = { keySecret: `${name}-key`, certSecret: `${name}-cert`, filesToSign: ['/built'] };
    expect(await make({ sign })).toMatchObject({ outcome: 'Failed', reason: 'SigningKeyUnusable', retry: 'never' });
    expect(executor.asked).toEqual([]);
  });

  test('leaves an image alone that somebody else pushes while ours is built', async () => {
    executor.meanwhile = pushForeign;
    const result = await make(onChange);
    expect(executor.asked).toHaveLength(1);
    expect(result).toMatchObject({ outcome: 'Published', origin: 'Taken', digest: await digestAtTag() });
  });

  test.each<[string, (job: ImageJob) => Promise<ImageJob>]>([
    [
      'whose image was made anew since',
      async (job) => {
        await wantImage(world.admin, name, recipe);
        return job;
      },
    ],
    [
      'whose image is gone',
      async (job) => {
        await removeImage(world.admin, name);
        return job;
      },
    ],
    ['with the uid of another image', async (job) => ({ ...job, uid: 'another' })],
    [
      'whose Dockerfile is no longer that of the recipe',
      async (job) => {
        await writeDockerfile(world.admin, name, 'FROM evil.example/base');
        return job;
      },
    ],
    [
      'whose Dockerfile is gone',
      async (job) => {
        await world.admin.delete(configMap, { name, namespace: HUB_NAMESPACE }, signal);
        return job;
      },
    ],
  ])('%s makes nothing', async (_what, changed) => {
    const job = await changed(await wantImage(world.admin, name, recipe));
    expect(await run(job)).toEqual({ outcome: 'Stale' });
    expect(executor.asked).toEqual([]);
    expect(await digestAtTag()).toBeUndefined();
  });

  test('that brings a recipe of its own has that of the API server made', async () => {
    const image = `${world.registry.host}/evil:1`;
    const evil = { image, dockerfile: 'FROM evil.example/base', buildArgs: { A: 'evil' }, spec: { ...recipe, image } };
    const job = { ...evil, ...(await wantImage(world.admin, name, recipe)) };
    expect(await run(job)).toMatchObject({ outcome: 'Published', origin: 'Made', digest: await digestAtTag() });
    expect(executor.asked).toMatchObject([{ dockerfile: DOCKERFILE, buildArgs: {}, secrets: {} }]);
    expect(await world.pusher.resolve(image, signal)).toBeUndefined();
  });
});
