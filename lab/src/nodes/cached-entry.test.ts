import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedEntry } from './cached-entry.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kmm-cache-'));
});
afterEach(() => rm(cache, { recursive: true }));

async function fill(folder: string, text: string) {
  await mkdir(folder);
  await writeFile(join(folder, 'content'), text);
}

test('an entry is made once', async () => {
  const target = join(cache, 'entry');
  await cachedEntry(target, (folder) => fill(folder, 'first'));
  await cachedEntry(target, (folder) => fill(folder, 'second'));
  expect(await readFile(join(target, 'content'), 'utf8')).toBe('first');
});

test('a failure leaves nothing behind', async () => {
  const making = cachedEntry(join(cache, 'entry'), async (folder) => {
    await fill(folder, 'half');
    throw new Error('disk full');
  });
  await expect(making).rejects.toThrow('disk full');
  expect(await readdir(cache)).toEqual([]);
});

test('two makers at once end with one whole entry', async () => {
  const target = join(cache, 'entry');
  await Promise.all(['a', 'b'].map((text) => cachedEntry(target, (folder) => fill(folder, text))));
  expect(await readdir(cache)).toEqual(['entry']);
  expect(['a', 'b']).toContain(await readFile(join(target, 'content'), 'utf8'));
});

test('what a killed run left behind goes with the next try, what another run works on stays', async () => {
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const name of ['entry.new-old', 'entry.new-young']) await writeFile(join(cache, name), 'half');
  await utimes(join(cache, 'entry.new-old'), longAgo, longAgo);
  await cachedEntry(join(cache, 'entry'), (folder) => fill(folder, 'whole'));
  expect((await readdir(cache)).sort()).toEqual(['entry', 'entry.new-young']);
});
