import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { checkout, runFolder } from '@kmm-hub/lab';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeFromImages } from '../src/node/modules/kept-images.ts';

/** So many that the removal lasts. */
const FILES = 5000;
const SELECTION = 'sha256-aa/0123456789ab';
const ENTRY = join(checkout, 'spoke/test/remove-images-process.ts');
let imagesFolder: string;

beforeAll(async () => {
  imagesFolder = await runFolder('kept-images');
});
afterAll(() => rm(imagesFolder, { recursive: true, force: true }));

test('an agent that is killed while it removes an image leaves nothing that passes for a whole one', async () => {
  const files = join(imagesFolder, SELECTION, 'files'); // its being there is what says that it is whole
  await mkdir(files, { recursive: true });
  for (let number = 0; number < FILES; number += 1) await writeFile(join(files, `${number}.ko`), '');
  const oneOfThem = join(files, `${FILES / 2}.ko`);

  const agent = spawn(execPath, [ENTRY, imagesFolder, SELECTION]);
  const ended = once(agent, 'exit');
  while (existsSync(oneOfThem) && agent.exitCode === null) await setImmediate();
  agent.kill('SIGKILL');
  await ended;

  expect(existsSync(files)).toBe(false);
  await removeFromImages(imagesFolder, []);
  expect(await readdir(imagesFolder)).toEqual(['sha256-aa']);
});
