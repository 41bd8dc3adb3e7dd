import { expect, test } from 'vitest';
import { parseModules } from './probe.ts';

test('parseModules reads /proc/modules with users, state and taints', () => {
  const text = [
    'hello 16384 0 - Live 0xffffffffc0a00000 (OE)',
    'virtio 16384 2 virtio_blk,virtio_net, Live 0xffffffffc0a10000',
    'overlay 163840 1 - Unloading 0xffffffffc0a20000',
  ].join('\n');
  const base = { sizeBytes: 16384, references: 0, usedBy: [], state: 'Live', taints: '' };
  expect(parseModules(text)).toEqual([
    { ...base, name: 'hello', taints: 'OE' },
    { ...base, name: 'virtio', references: 2, usedBy: ['virtio_blk', 'virtio_net'] },
    { ...base, name: 'overlay', sizeBytes: 163840, references: 1, state: 'Unloading' },
  ]);
});

test('parseModules finds none in a kernel without modules', () => {
  expect(parseModules('')).toEqual([]);
});
