import { expect, test } from 'vitest';
import { parseLdd } from './system-disk.ts';

test('parseLdd finds libraries and the loader, each once, and no vdso', () => {
  const text = [
    '\tlinux-vdso.so.1 (0x00007ff11d7fd000)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007ff11d21e000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007ff11d7ff000)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f75fca1e000)',
  ].join('\n');
  expect(parseLdd(text)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
});
