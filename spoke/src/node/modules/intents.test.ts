import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Intents } from './intents.ts';
import type { LoadIntent } from './plan.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intents-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const intent = (name: string, bootId = 'boot-1'): LoadIntent => ({
  namespace: 'drivers',
  name,
  bootId,
  config: { kernelVersion: '6.1.0', containerImage: 'r@sha256:aa', insecurePull: false, modprobe: {} },
});

test('an agent that starts anew finds what the one before set out to do', async () => {
  await new Intents(folder).write(intent('b'));
  await new Intents(folder).write(intent('a'));
  expect(await new Intents(folder).list()).toEqual([intent('a'), intent('b')]);
});

test('the newest intent of a module replaces the one before', async () => {
  const intents = new Intents(folder);
  await intents.write(intent('a', 'boot-1'));
  await intents.write(intent('a', 'boot-2'));
  expect(await intents.list()).toEqual([intent('a', 'boot-2')]);
});

test('a removed intent is gone, and removing it again is no error', async () => {
  const intents = new Intents(folder);
  await intents.write(intent('a'));
  await intents.remove(intent('a'));
  await intents.remove(intent('a'));
  expect(await intents.list()).toEqual([]);
});

test('a file that a power cut left torn is dropped', async () => {
  const intents = new Intents(folder);
  await intents.write(intent('a'));
  await writeFile(join(folder, 'drivers.b.json'), '{"namespace":"dri');
  expect(await intents.list()).toEqual([intent('a')]);
  expect(await readdir(folder)).toEqual(['drivers.a.json']);
});

test('a node that never loaded anything has no intents', async () => {
  expect(await new Intents(join(folder, 'none')).list()).toEqual([]);
});
