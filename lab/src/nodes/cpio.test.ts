import { execFileSync } from 'node:child_process';
import { lstat, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CpioEntry, cpioArchive, parentFolders } from './cpio.ts';

const file = (path: string, text: string, mode = 0o644): CpioEntry => ({
  kind: 'file',
  path,
  content: Buffer.from(text),
  mode,
});

test('cpio unpacks what cpioArchive packs, with modes and links', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kmm-cpio-'));
  try {
    const link: CpioEntry = { kind: 'link', path: 'a/link', target: '../a/odd' };
    const entries = [file('a/odd', 'three', 0o600), file('a/b/empty', ''), link];
    const archive = cpioArchive([...parentFolders(entries.map(({ path }) => path)), ...entries]);
    execFileSync('cpio', ['-i', '--quiet', '--no-preserve-owner'], { cwd: folder, input: archive });
    expect(await readFile(join(folder, 'a/link'), 'utf8')).toBe('three');
    expect(await readFile(join(folder, 'a/b/empty'), 'utf8')).toBe('');
    expect(await readlink(join(folder, 'a/link'))).toBe('../a/odd');
    expect((await lstat(join(folder, 'a/odd'))).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('archives can be put behind one another: each ends on a multiple of four bytes', () => {
  for (const text of ['', '1', '12', '123', '1234']) {
    expect(cpioArchive([file('x', text)]).length % 4).toBe(0);
  }
});

test('parentFolders names each folder once, outer ones first', () => {
  expect(parentFolders(['a/b/c', 'a/d', 'e'])).toEqual([
    { kind: 'folder', path: 'a' },
    { kind: 'folder', path: 'a/b' },
  ]);
});
