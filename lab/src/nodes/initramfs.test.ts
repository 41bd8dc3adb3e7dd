import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseShowDepends, shellAssignments } from './initramfs.ts';

test('a shell reads shellAssignments back as they were', () => {
  const values = { PLAIN: 'node-1', QUOTED: `it's "$HOME" \`id\` \\`, LINES: 'a\nb', EMPTY: '' };
  const script = `${shellAssignments(values)} printf '%s|' "$PLAIN" "$QUOTED" "$LINES" "$EMPTY"`;
  const text = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(text).toBe(`${Object.values(values).join('|')}|`);
});

test('parseShowDepends keeps the order, names each module once and leaves out what is built in', () => {
  const text = 'insmod /m/virtio_ring.ko \ninsmod /m/virtio.ko \nbuiltin ext4\ninsmod /m/virtio_ring.ko \n';
  expect(parseShowDepends(text)).toEqual(['/m/virtio_ring.ko', '/m/virtio.ko']);
});
