import { chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeWorkFolder } from './work-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'work-folder-'));
});
afterEach(() => rm(parent, { recursive: true }));

const modeOf = async (folder: string) => (await stat(folder)).mode & 0o777;

test('a new work folder is for its owner alone', async () => {
  await makeWorkFolder(join(parent, 'a/b'));
  expect(await modeOf(join(parent, 'a/b'))).toBe(0o700);
});

test('a folder that is there and open to all is closed', async () => {
  await mkdir(join(parent, 'open'), { mode: 0o777 });
  await makeWorkFolder(join(parent, 'open'));
  expect(await modeOf(join(parent, 'open'))).toBe(0o700);
});

test('a link in its place is refused', async () => {
  await symlink(parent, join(parent, 'link'));
  await expect(makeWorkFolder(join(parent, 'link'))).rejects.toMatchObject({
    code: 'WrongUsage',
    message: `--work-folder ${join(parent, 'link')} cannot be used: it is a link, or belongs to another user`,
  });
});

test('a file in its place is refused', async () => {
  await writeFile(join(parent, 'file'), '');
  await expect(makeWorkFolder(join(parent, 'file'))).rejects.toMatchObject({ code: 'WrongUsage' });
});

// as root, as `npm test` is run: nobody else may give a folder away
test('a folder that another user has made first is refused', async () => {
  await mkdir(join(parent, 'theirs'));
  await chown(join(parent, 'theirs'), 65_534, 65_534);
  await expect(makeWorkFolder(join(parent, 'theirs'))).rejects.toMatchObject({ code: 'WrongUsage' });
});
